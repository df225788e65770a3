# SPDX-License-Identifier: MIT
"""Answers on their way out, and the decoding of queries and forms on their way in."""
import json
from urllib.parse import unquote


class Reply:
    """An answer on its way out: status, headers, body and how it is sent."""

    def __init__(self, status, body=b'', content_type='application/json', headers=None):
        self.status, self.body = status, body
        self.content_type = content_type
        self.headers = dict(headers or {})
        self.delay = 0.0
        self.mode = 'normal'
        self.interval = 0.0
        self.cut = None
        self.date_skew = 0.0
        self.code = None
        self.problems = []


def json_error(code, message, status, headers=None, capital=False, in_body=False):
    body = {'Message' if capital else 'message': message}
    heads = dict(headers or {})
    if in_body:
        body = dict({'__type': f'com.amazonaws.imagebuilder#{code}'}, **body)
    else:
        heads['x-amzn-ErrorType'] = code
    reply = Reply(status, json.dumps(body).encode(), headers=heads)
    reply.code = code
    return reply


def parse_query(text):
    """Pairs of a query string or a form body; only %XX and + are decoded."""
    pairs = []
    for piece in text.split('&'):
        if piece:
            name, _, value = piece.partition('=')
            pairs.append((unquote(name.replace('+', ' ')), unquote(value.replace('+', ' '))))
    return pairs

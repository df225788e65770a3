# SPDX-License-Identifier: MIT
"""The HTTP side: reads requests, finds the service, checks signatures, strikes faults, answers."""
import email.utils
import json
import os
import select
import socket
import ssl
import struct
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from . import control, credentials, faults, sigv4
from .imagebuilder import Call, ImageBuilder, ServiceError
from .model import Oracle
from .state import SpecError, World
from .wire import Reply, json_error, parse_query

MAX_BODY = 8 * 1024 * 1024
DEFAULT_KEY = {'secret': 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', 'token': None, 'expires': None,
               'arn': 'arn:aws:iam::{account}:user/monitoring'}


class Request:
    """One request as received, and what is known of it so far."""

    def __init__(self, method, target, headers, body):
        if target.startswith(('http://', 'https://')):
            # A client that takes us for its proxy.
            target = '/' + target.split('://', 1)[1].partition('/')[2]
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path, _, self.query_text = target.partition('?')
        self.region, self.service, self.op = None, None, None
        self.signature, self.key = 'not-needed', None
        self.params, self.arn = {}, None
        self.fault, self.applied = None, False
        self.account, self.broken, self.signed_headers = None, None, None

    def header(self, name, default=''):
        for key, value in self.headers:
            if key.lower() == name:
                return value.strip()
        return default


class App:
    """All services of one stand-in, free of sockets."""

    def __init__(self, options):
        self.world = World(options.account, options.time_scale)
        self.oracle = Oracle(options.model_dir or os.environ.get('IB_AWS_SDK_DIR'))
        self.imagebuilder = ImageBuilder(self.world, self.oracle)
        self.credentials = credentials.CredentialServices(self)
        self.control = control.Control(self)
        self.log = open(options.log, 'a', encoding='utf-8') if options.log else None
        self.started = time.time()
        self.flying = 0  # requests that have no answer yet
        self.reset()

    def reset(self):
        with self.world.lock:
            self.world.reset()
            self.faults = []
            self.keys = {'AKIDEXAMPLE': dict(DEFAULT_KEY, arn=DEFAULT_KEY['arn'].format(
                account=self.world.account))}
            self.credentials.reset()
            self.control.reset()

    # Answering -----------------------------------------------------------------------------

    def handle(self, request):
        """The Reply for a request.  Never raises: what goes wrong here is a 500 with the reason."""
        try:
            if request.path.startswith('/_standin/'):
                return self.control.handle(request)
            return self._service(request)
        except SpecError as error:
            return Reply(400, json.dumps({'error': str(error)}).encode())
        except Exception as error:  # pylint: disable=broad-except
            import traceback
            traceback.print_exc()
            reply = json_error('StandinBroken', f'{type(error).__name__}: {error}', 599)
            self.record(request, reply)
            return reply

    def _service(self, request):
        if self.credentials.takes(request):
            service = self.credentials
        else:
            service = self
        with self.world.lock:
            self.flying += 1
            service.identify(request)
            refused = service.authenticate(request)
            if refused is not None:
                self.record(request, refused)
                return refused
            try:
                reply = self._struck(request, service)
            except SpecError as error:
                reply = json_error('StandinRefused', str(error), 501)
            self.record(request, reply)
            return reply

    def _struck(self, request, service):
        scenario = self.control.scenario_reply(request)
        if scenario is not None:
            return scenario
        fault = next((f for f in self.faults if f.strikes(request.op, request.arn)), None)
        if fault is None:
            reply = service.perform(request)
            request.applied = reply.status == 200
            return reply
        request.fault = fault.name
        if fault.kind == 'empty-page':
            return self._empty_page(request, service)
        real = service.perform(request) if fault.apply else None
        make = service.error if request.service == 'sts' else None
        reply = faults.instead(fault, self.oracle.errors, make) or real or service.perform(request)
        request.applied = bool(real is not None and real.status == 200)
        return faults.spoil(fault, reply)

    def _empty_page(self, request, service):
        """A page with nothing in it and a token that leads to the real first page."""
        reply = service.perform(request)
        if reply.status != 200:
            return reply
        body = json.loads(reply.body)
        for name, value in body.items():
            if isinstance(value, list):
                body[name] = []
        body['nextToken'] = self.imagebuilder.start_token(request.op, request.region,
                                                          request.params)
        reply.body = json.dumps(body).encode()
        return reply

    def identify(self, request):
        """Image Builder: the operation and its parameters."""
        request.service = 'imagebuilder'
        route, path_params = self.oracle.route(request.method, unquote(request.path))
        request.op = route.name if route is not None else None
        request.params = dict(path_params)
        if route is None:
            return
        for name, value in parse_query(request.query_text):
            if name == 'tagKeys':
                request.params.setdefault(name, []).append(value)
            else:
                request.params[name] = value
        if request.method in ('PUT', 'POST'):
            try:
                body = json.loads(request.body or b'{}')
                if not isinstance(body, dict):
                    raise ValueError('not an object')
                request.params.update(body)
            except (ValueError, RecursionError) as error:
                request.broken = str(error)
        for name in ('imageBuildVersionArn', 'imagePipelineArn', 'imageVersionArn', 'resourceArn'):
            if isinstance(request.params.get(name), str):
                request.arn = request.params[name]
                break

    def authenticate(self, request):
        try:
            scope, record = sigv4.verify(request.method, request.target, request.headers,
                                         request.body, self.keys, self.world.now(),
                                         ('imagebuilder',))
        except sigv4.Refused as refused:
            request.signature = refused.kind
            return json_error(sigv4.NAMES[refused.kind][0], refused.message, 403)
        except (ValueError, UnicodeError) as error:
            request.signature = 'mismatch'
            return json_error('IncompleteSignatureException', str(error), 400)
        request.signature, request.key, request.signed_headers = 'ok', scope.key, scope.signed
        request.region, request.account = scope.region, self._account_of(record)
        return None

    def _account_of(self, record):
        parts = (record.get('arn') or '').split(':')
        return parts[4] if len(parts) > 4 and parts[4] else self.world.account

    def perform(self, request):
        if request.op is None:
            return json_error('AccessDeniedException', 'Unable to determine service/operation name '
                                                       'to be authorized', 403)
        if request.broken is not None:
            return json_error('SerializationException', request.broken, 400)
        raw = self._raw(request)
        if raw is not None:
            return raw
        call = Call(request.op, request.params, request.region, request.account, self.world.now())
        try:
            body = self.imagebuilder.answer(call)
        except ServiceError as error:
            status = error.status or self.oracle.errors.get(error.code, 400)
            return json_error(error.code, error.message, status, error.headers)
        reply = Reply(200, json.dumps(body).encode())
        reply.problems = self.oracle.answer_problems(request.op, body)
        return reply

    def _raw(self, request):
        """An image may carry its own bytes for GetImage."""
        if request.op != 'GetImage':
            return None
        image = self.world.images.get(request.arn)
        if image is None or image.raw is None:
            return None
        image.advance(self.world.now())
        image.polled(self.world.now())
        return control.reply_from(image.raw)

    def answered(self):
        """The answer to a request leaves: the next one of the same client is not beside it."""
        with self.world.lock:
            self.flying -= 1

    def connect(self, request, target, able):
        """Whether a tunnel to `target` is opened; the record of it."""
        with self.world.lock:
            request.service, request.op, request.path = 'proxy', 'CONNECT', target
            fault = next((f for f in self.faults if f.strikes('CONNECT', None)), None)
            reply = Reply(200 if able else 405, b'')
            if fault is not None:
                request.fault = fault.name
                reply = faults.spoil(fault, faults.instead(fault, self.oracle.errors) or reply)
            self.record(request, reply)
            return reply

    # Recording -----------------------------------------------------------------------------

    def record(self, request, reply):
        """Called under the lock, before the answer leaves: who has the answer finds it counted."""
        text = request.body.decode('utf-8', 'replace')
        if request.service == 'sts':
            body = request.params
        else:
            try:
                body = json.loads(text) if text else None
            except (ValueError, RecursionError):
                body = text[:4096]
        entry = {
            'n': len(self.world.requests) + 1, 'time': self.world.now(), 'service': request.service,
            'region': request.region, 'op': request.op, 'method': request.method,
            'path': unquote(request.path), 'query': parse_query(request.query_text), 'body': body,
            'status': reply.status, 'code': reply.code, 'signature': request.signature,
            'key': request.key, 'arn': request.arn,
            'client_token': request.params.get('clientToken'),
            'user_agent': request.header('user-agent'), 'host': request.header('host'),
            'content_type': request.header('content-type'),
            'signed_headers': request.signed_headers,
            'headers': sorted({k.lower() for k, _ in request.headers}),
            'fault': request.fault, 'applied': request.applied, 'problems': reply.problems,
            'beside': self.flying}
        self.world.requests.append(entry)
        if self.log is not None:
            self.log.write(json.dumps(entry) + '\n')
            self.log.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 120
    app = None

    def setup(self):
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(10)
            self.request.do_handshake()
        super().setup()

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def _read_body(self):
        if 'chunked' in self.headers.get('Transfer-Encoding', '').lower():
            return self._read_chunks()
        text = self.headers.get('Content-Length', '0').strip()
        if not text.isdigit() or int(text) > MAX_BODY:
            return None
        body = self.rfile.read(int(text))
        return body if len(body) == int(text) else None

    def _read_chunks(self):
        body = b''
        while True:
            try:
                size = int(self.rfile.readline(1024).split(b';')[0].strip(), 16)
            except ValueError:
                return None
            if size < 0 or len(body) + size > MAX_BODY:
                return None
            if size == 0:
                while self.rfile.readline(65537).strip():
                    pass
                return body
            body += self.rfile.read(size)
            self.rfile.readline(1024)

    def _any(self):
        body = self._read_body()
        if body is None:
            self.close_connection = True
            self._send(Reply(400, b'{"message":"The body cannot be read."}'))
            return
        request = Request(self.command, self.path, list(self.headers.items()), body)
        self._send(self.app.handle(request), not request.path.startswith('/_standin/'))

    def do_CONNECT(self):
        """We are the HTTPS proxy, and whatever host was asked for at its end."""
        request = Request('CONNECT', '/', list(self.headers.items()), b'')
        reply = self.app.connect(request, self.path, self.server.inner_context is not None)
        if reply.status != 200 or reply.mode != 'normal':
            self.close_connection = True
            self._send(reply)
            return
        self.wfile.write(b'HTTP/1.1 200 Connection established\r\n\r\n')
        inner = self.server.inner_context.wrap_socket(self.connection, server_side=True,
                                                      do_handshake_on_connect=False)
        self.request = inner
        try:
            self.setup()
            self.close_connection = False
            while not self.close_connection:
                self.handle_one_request()
        except OSError:
            pass
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _any

    # Sending -------------------------------------------------------------------------------

    def _head(self, reply, length):
        lines = [f'HTTP/1.1 {reply.status} {self.responses.get(reply.status, ("Status",))[0]}']
        given = {name.lower() for name in reply.headers}
        headers = {'Date': email.utils.formatdate(time.time() + reply.date_skew
                                                  + self.app.world.skew, usegmt=True)}
        if reply.content_type and 'content-type' not in given:
            headers['Content-Type'] = reply.content_type
        if length is not None:
            headers['Content-Length'] = str(length)
        headers['x-amzn-RequestId'] = str(uuid.uuid4())
        headers.update({k: v for k, v in headers.items() if k.lower() not in given})
        headers = {k: v for k, v in headers.items() if k.lower() not in given}
        headers.update(reply.headers)
        if self.close_connection:
            headers['Connection'] = 'close'
        lines += [f'{name}: {value}' for name, value in headers.items()]
        return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1', 'replace')

    def _send(self, reply, counted=False):
        try:
            if reply.delay > 0:
                self._wait(reply.delay)
        finally:
            if counted:
                self.app.answered()
        if reply.mode != 'normal':
            self.close_connection = True
            getattr(self, '_send_' + reply.mode.replace('-', '_'))(reply)
            return
        body = b'' if self.command == 'HEAD' else reply.body
        if reply.status in (204, 304):
            body = b''
        self.wfile.write(self._head(reply, len(body)) + body)
        self.wfile.flush()

    def _wait(self, seconds):
        """Waits, but not longer than the client does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.app.stopping.is_set():
            left = min(0.25, end - time.monotonic())
            readable, _, _ = select.select([self.connection], [], [], max(0, left))
            if readable:
                try:
                    if not isinstance(self.connection, ssl.SSLSocket) \
                            and self.connection.recv(1, socket.MSG_PEEK) == b'':
                        return
                except OSError:
                    return
                time.sleep(max(0, min(left, 0.05)))

    def _send_reset(self, _reply):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        # Closing the last reference sends RST; shutdown() would send FIN first.
        self.server.no_shutdown.add(id(self.request))
        self.connection.close()

    def _send_close(self, _reply):
        pass

    def _send_silent(self, reply):
        if reply.delay <= 0:
            self._wait(600)

    def _send_garbage(self, reply):
        self.wfile.write(reply.body)

    def _send_cut_off(self, reply):
        self.wfile.write(self._head(reply, len(reply.body)) + reply.body[:reply.cut])
        self.wfile.flush()

    def _send_no_length(self, reply):
        self.wfile.write(self._head(reply, None) + reply.body)

    def _send_slow_drip(self, reply):
        self.wfile.write(self._head(reply, len(reply.body)))
        for index in range(len(reply.body)):
            self.wfile.write(reply.body[index:index + 1])
            self.wfile.flush()
            if self.app.stopping.wait(reply.interval):
                return


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address, handler, context=None, inner_context=None):
        self.no_shutdown = set()
        self.context, self.inner_context = context, inner_context
        super().__init__(address, handler)

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context is not None:
            # The handshake is made in the handler's thread: a silent client must not block others.
            connection = self.context.wrap_socket(connection, server_side=True,
                                                  do_handshake_on_connect=False)
        return connection, address

    def shutdown_request(self, request):
        if id(request) in self.no_shutdown:
            self.no_shutdown.discard(id(request))
            self.close_request(request)
            return
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        # A client that goes away in the middle is normal here.
        self.no_shutdown.discard(id(request))


def _tls(certificate, key):
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def serve(options):
    app = App(options)
    app.stopping = threading.Event()
    handler = type('BoundHandler', (Handler,), {'app': app})
    server = Server(('127.0.0.1', options.port), handler,
                    _tls(options.tls_cert, options.tls_key),
                    _tls(options.connect_cert, options.connect_key))
    app.port = server.server_address[1]
    return app, server

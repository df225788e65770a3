# SPDX-License-Identifier: MIT
"""STS and the other places that hand out credentials.  (Filled in below.)"""


class CredentialServices:
    OPERATIONS = ()

    def __init__(self, app):
        self.app = app

    def reset(self):
        pass

    def takes(self, request):
        return False

    def configure(self, spec):
        return {}

"""A real HTTP server that gives access tokens to one service account, and the account's key file.

After https://developers.google.com/identity/protocols/oauth2/service-account: it checks the signature of the
assertion, its audience and its scope, and refuses all else as Google does.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

EMAIL = "lab@lab-project.iam.gserviceaccount.com"
_AUDIENCE = "https://oauth2.googleapis.com/token"  # whatever the address of the server is
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass
class TokenServer:
    url: str
    key: rsa.RSAPrivateKey
    lives_s: int = 3600
    issued: list[str] = field(default_factory=list[str])

    def write_key_file(self, path: Path, **changed: Any) -> Path:
        """Write what the Google Cloud console gives for a service account."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        account = {
            "type": "service_account",
            "project_id": "lab-project",
            "private_key_id": "k1",
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": self.url,
        }
        path.write_text(json.dumps(account | changed))
        return path

    def answer(self, body: str) -> tuple[int, dict[str, Any]]:
        form = parse_qs(body)
        if not self._is_good(form.get("assertion", [""])[0]):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        self.issued.append(f"ya29.lab-{len(self.issued) + 1}")
        return 200, {"access_token": self.issued[-1], "expires_in": self.lives_s, "token_type": "Bearer"}

    def _is_good(self, assertion: str) -> bool:
        signed, _, signature = assertion.rpartition(".")
        try:
            self.key.public_key().verify(
                _decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        claims = json.loads(_decoded(signed.partition(".")[2]))
        return (claims["iss"], claims["aud"], claims["scope"]) == (EMAIL, _AUDIENCE, _SCOPE)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def start_token_server() -> Iterator[TokenServer]:
    tokens = TokenServer("", rsa.generate_private_key(public_exponent=65537, key_size=2048))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            status, answer = tokens.answer(body)
            encoded = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        tokens.url = f"http://127.0.0.1:{server.server_port}/token"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield tokens
        finally:
            server.shutdown()
            thread.join(5)

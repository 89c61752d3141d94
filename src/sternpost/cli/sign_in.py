"""`sternpost sign-in`: print a one-time link that signs you in to the web UI.

Needs sternpost[server].
"""

from sternpost.assembly.local import make_sign_in_link
from sternpost.cli.commands import Commands, echo
from sternpost.cli.options import Home, Json, settings_from
from sternpost.cli.output import print_json
from sternpost.server.instance import running_address

app = Commands(help="Print a one-time link that signs you in to the web UI.")


@app.command()
def sign_in(*, home: Home = None, is_json: Json = False) -> None:
    """Print a link that signs you in once, within 15 minutes."""
    settings = settings_from(home)
    address = running_address(settings.home) if settings.home.exists() else None
    url = str(address["url"]) if address else f"http://{settings.host}:{settings.port}"
    link = make_sign_in_link(settings, url)
    if is_json:
        print_json({"sign_in_url": link})
    else:
        echo(link)

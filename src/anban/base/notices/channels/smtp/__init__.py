"""E-mail by the mail server that ``ANBAN_SMTP_URL`` names: ``smtp://user:password@host:587?from=anban@example.org``."""

from __future__ import annotations

import os
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from anban.base.notices.channels.payload import Payload, Undelivered

NEEDS_ADDRESS = True
TIMEOUT_S = 20
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


def is_open() -> bool:
    """Tell whether a mail server is set up."""
    return bool(os.environ.get("ANBAN_SMTP_URL"))


def sent(payload: Payload) -> None:
    """Hand the message to the mail server; every try carries the same Message-ID. Raises: Undelivered.

    ``smtp`` begins plainly and asks for TLS, ``smtps`` is TLS from the start, ``smtp+plain`` is for a server on this machine.
    """
    server = urlsplit(os.environ.get("ANBAN_SMTP_URL", ""))
    if server.scheme not in PORTS or not server.hostname:
        raise Undelivered("ANBAN_SMTP_URL must begin with smtp://, smtps:// or smtp+plain:// and name a host")
    if not payload.address:
        raise Undelivered("no address")
    message = compose(payload, parse_qs(server.query).get("from", [f"anban@{server.hostname}"])[0])
    port = server.port or PORTS[server.scheme]
    try:
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.hostname, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(server.hostname, port, timeout=TIMEOUT_S)
        with connection:
            if server.scheme == "smtp":
                connection.starttls(context=ssl.create_default_context())
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise Undelivered(f"{type(error).__name__}") from error


def compose(payload: Payload, sender: str) -> EmailMessage:
    """Return the message as mail. Line breaks in an address or subject can't add headers: the e-mail package refuses them."""
    message = EmailMessage()
    message["From"], message["To"] = sender, payload.address.replace("\n", "").replace("\r", "")
    message["Subject"] = payload.subject_zh
    message["Message-ID"] = f"<{payload.id}@anban>"
    message.set_content(f"{payload.body}\n\n{payload.subject_en}\n")
    return message

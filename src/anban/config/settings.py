"""Settings of every installation: what differs between machines comes from the environment, nothing else does."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from anban.config.home import home, secret_key

HOME = home()
DEBUG = False
SECRET_KEY = secret_key(HOME)
ALLOWED_HOSTS = [h for h in os.environ.get("ANBAN_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
HTTPS = os.environ.get("ANBAN_HTTPS", "") == "1"

# How many proxies of one's own stand before the web server; the address of a caller is read that far from the right.
PROXIES = int(os.environ.get("ANBAN_PROXIES", "0"))

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "anban.base.people",
    "anban.base.journal",
    "anban.base.files",
    "anban.base.jobs",
    "anban.base.notices",
    "anban.contexts.catalog",
    "anban.contexts.territory",
    "anban.contexts.establishments",
    "anban.contexts.obligations",
    "anban.contexts.responsibility",
    "anban.contexts.hazards",
    "anban.contexts.inspections",
    "anban.contexts.accidents",
    "anban.contexts.risk",
    "anban.contexts.oversight",
    "anban.lake",
    "anban.web.shell",
    "anban.web.desk",
    "anban.web.board",
]
AUTH_USER_MODEL = "people.Account"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTHENTICATION_BACKENDS = ["anban.base.people.backend.AccountBackend"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "anban.web.shell.middleware.PolicyHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "anban.web.shell.middleware.ActorOfRequest",
    "anban.web.shell.middleware.Refusals",
]
ROOT_URLCONF = "anban.config.urls"
WSGI_APPLICATION = "anban.config.wsgi.application"
WEB = Path(__file__).resolve().parent.parent / "web"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [str(WEB / audience / "templates") for audience in ("desk", "portal", "public", "board")],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "anban.web.shell.context.frame",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]


def database(url: str | None, home_folder: Path) -> dict[str, object]:
    """Return Django's description of the database: SQLite in the home folder, or the PostgreSQL of ``DATABASE_URL``."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(home_folder / "anban.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                # FULL: an acknowledged write survives a power cut, not only a crash of the process.
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                    "PRAGMA busy_timeout=30000; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;"
                ),
            },
            "TEST": {"NAME": str(home_folder / "test.sqlite3")},
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        message = f"DATABASE_URL must begin with postgresql:// (it begins with {parts.scheme}://)"
        raise ValueError(message)
    query = dict(parse_qsl(parts.query))
    options: dict[str, object] = {}
    if os.environ.get("ANBAN_DATABASE_ROLE"):
        options["assume_role"] = os.environ["ANBAN_DATABASE_ROLE"]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL"), HOME)}

USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "anban_language"
LOCALE_PATHS = [str(Path(__file__).resolve().parent.parent / "locale")]

STATIC_URL = "/static/"
# Files are served straight from the package: nothing to collect, nothing to forget on an upgrade.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 86400

SESSION_COOKIE_NAME = "anban_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = False
CSRF_FAILURE_VIEW = "anban.web.shell.errors.csrf_failure"
SESSION_COOKIE_AGE = 12 * 3600
IDLE_MINUTES = 30
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "/sign-in/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILES_ROOT = HOME / "files"
KEYS_ROOT = HOME / "keys"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["err"], "level": "WARNING"},
    # A refused page is an answer, not a fault: it stands in the access log of the proxy.
    "loggers": {"anban": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}

"""
Every setting, read once from `newsletter.toml` and the environment (prefix `NEWSLETTER_`, nesting by `__`).

The environment wins over the file. There is no instance here: `load` is called at the edge and sub-values are passed
down. `docs/settings.md` lists the same fields; a test compares the two.
"""

import datetime as dt
import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from newsletter.errors import ConfigurationFault

FILE: Final = Path("newsletter.toml")
"""Looked for in the working directory."""


class Tls(StrEnum):
    """How a connection to a relay is secured."""

    #: Not at all: a relay on this machine.
    NONE = "none"
    #: STARTTLS, and nothing is sent if the relay does not offer it (RFC 3207).
    STARTTLS = "starttls"
    #: TLS from the first byte, usually port 465 (RFC 8314 §3.3).
    IMPLICIT = "implicit"


class Pipelining(StrEnum):
    """How much is written to a relay before its replies are read (RFC 2920), if it announces PIPELINING."""

    #: A message's content and the envelope of the next one: one round trip a message.
    FULL = "full"
    #: The three commands of an envelope together, the content alone: two round trips.
    ENVELOPE = "envelope"
    #: Command by command: four round trips.
    OFF = "off"


class Uncertain(StrEnum):
    """What becomes of a delivery whose relay never said whether it took it."""

    #: It is tried once more: nobody is left out, somebody may get it twice.
    REPEAT = "repeat"
    #: It stays, named: nobody gets it twice, somebody may not get it.
    SKIP = "skip"
    #: It stays until an officer decides.
    ASK = "ask"


class Role(StrEnum):
    """When a relay is used."""

    #: Always, together with the others.
    PRIMARY = "primary"
    #: While nothing is heard of any primary one.
    SPARE = "spare"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(_Part):
    """Where the rows live."""

    url: str = Field(
        "sqlite:///var/newsletter.sqlite",
        description="sqlite:///FILE or postgresql://USER@HOST/NAME",
    )


class OauthSettings(_Part):
    """How access tokens are had for an account whose provider takes no password; not at all by default."""

    token_url: str | None = Field(
        None,
        pattern=r"^(https://[^/\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/|$))",
        description="address that gives access tokens (https); none: no OAuth",
    )
    client_id: str | None = Field(None, description="the name under which the program is registered there")
    client_secret: SecretStr | None = Field(None, description="the secret of that registration, if it has one")
    refresh_token: SecretStr | None = Field(
        None, description="what the mailbox's owner has allowed; none: the client secret alone (client credentials)"
    )
    scope: str | None = Field(None, description="what is asked for, in the provider's words")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.token_url is None:
            if self.model_fields_set - {"token_url"}:
                raise ValueError("token_url is missing: the provider says where it gives tokens")
        elif self.client_id is None:
            raise ValueError("client_id is missing: the program has to be registered with the provider")
        elif self.client_secret is None and self.refresh_token is None:
            raise ValueError("set client_secret or refresh_token, or both")
        return self

    @property
    def is_set(self) -> bool:
        """Whether tokens are to be had at all."""
        return self.token_url is not None


class SmtpSettings(_Part):
    """The relay that takes our mail."""

    host: str = Field("localhost", description="the relay's host name")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(25, description="the relay's port")
    username: str | None = Field(None, description="user name for AUTH; none: no authentication")
    password: SecretStr | None = Field(None, description="password for AUTH")
    oauth: OauthSettings = OauthSettings()
    tls: Tls | None = Field(
        None, description="none, starttls or implicit; default: starttls with a user name, else none"
    )
    connections: Annotated[int, Field(ge=1, le=200)] = Field(8, description="connections kept open to the relay")
    hello: str | None = Field(None, description="the name we greet with (EHLO); default: this machine's")
    pipelining: Pipelining = Field(
        Pipelining.FULL, description="full, envelope or off: the most that is sent ahead of the relay's replies"
    )
    ca_file: Path | None = Field(
        None, description="PEM file with the authorities that may vouch for the relay; none: this machine's"
    )
    rate: Annotated[float, Field(gt=0)] | None = Field(
        None, description="messages a second at most; none: as fast as the relay takes them"
    )
    groups: bool = Field(
        default=False, description="whether to give way, group by group, to mailbox providers that ask for less"
    )
    warm_up: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        None, min_length=1, description="messages a day at most, a list from the first day on; none: any number"
    )
    warm_up_start: dt.date | None = Field(None, description="the first day of warm_up, as YYYY-MM-DD; days are UTC's")

    @model_validator(mode="after")
    def _has_both(self) -> Self:
        if (self.warm_up is None) != (self.warm_up_start is None):
            raise ValueError("warm_up and warm_up_start belong together: set both or none")
        return self

    @model_validator(mode="after")
    def _bears_tokens_safely(self) -> Self:
        if not self.oauth.is_set:
            return self
        if self.password is not None:
            raise ValueError("both password and oauth are set: the provider takes one of them")
        if self.username is None:
            raise ValueError("oauth needs a username: the mailbox that the tokens are for")
        if self.security is Tls.NONE:
            raise ValueError("oauth needs tls: whoever read a token on the way could write in our name")
        return self

    @property
    def called(self) -> str:
        """How the relay is called in the ledger, the log and what the doctor says."""
        return f"{self.host}:{self.port}"

    @property
    def is_spare(self) -> bool:
        """Whether it is used only while nothing is heard of the others."""
        return False

    @property
    def security(self) -> Tls:
        """How the connection is secured: credentials never travel in clear unless that is said."""
        return self.tls or (Tls.STARTTLS if self.username else Tls.NONE)


class RelaySettings(SmtpSettings):
    """One of several relays."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$", description="how the relay is called in the ledger and the log"
    )
    role: Role = Field(Role.PRIMARY, description="primary: used with the others; spare: while none of them is heard")

    @property
    def called(self) -> str:
        """Its name."""
        return self.name

    @property
    def is_spare(self) -> bool:
        """Whether its role says so."""
        return self.role is Role.SPARE


class DispatchSettings(_Part):
    """How messages are dispatched."""

    uncertain: Uncertain = Field(Uncertain.REPEAT, description="repeat, skip or ask: what follows an unknown outcome")
    uncertain_hold: Annotated[float, Field(ge=0)] = Field(
        900, description="seconds before an unknown outcome is repeated"
    )
    expiry: Annotated[float, Field(gt=0)] = Field(
        72 * 3600, description="seconds after which a deferred delivery expires"
    )
    first_retry: Annotated[float, Field(gt=0)] = Field(
        300, description="seconds before the first retry after a 4xx reply"
    )
    maildir: Path | None = Field(None, description="write messages into this Maildir instead of sending them")
    stage_refusals: Annotated[float, Field(ge=0, le=1)] = Field(
        0.05, description="share of refusals among the first of a staged run above which the others wait for an officer"
    )


class WorkerSettings(_Part):
    """How much a worker does at once; workers are for PostgreSQL only."""

    shards: Annotated[int, Field(ge=1, le=100)] = Field(2, description="shards of runs that a worker has at once")
    chores: Annotated[int, Field(ge=1, le=100)] = Field(
        2, description="other jobs that a worker does at once: files to import, editions to compile, programs to call"
    )


class ImapSettings(_Part):
    """The mailbox that bounces come to."""

    host: str | None = Field(None, description="the mail server's host name; none: no mailbox is read")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="its port; none: 993 with implicit TLS, else 143"
    )
    username: str | None = Field(None, description="user name of the mailbox")
    password: SecretStr | None = Field(None, description="password of the mailbox")
    oauth: OauthSettings = OauthSettings()
    tls: Tls = Field(Tls.IMPLICIT, description="none, starttls or implicit")
    ca_file: Path | None = Field(
        None, description="PEM file with the authorities that may vouch for the server; none: this machine's"
    )
    folder: str = Field("INBOX", min_length=1, description="folder that is read")
    done: str = Field("Processed", min_length=1, description="folder for messages that were understood")
    failed: str = Field("Not understood", min_length=1, description="folder for messages that were not")
    interval: Annotated[float, Field(ge=1)] = Field(60, description="seconds between two looks by the scheduler")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.host is not None and self.username is None:
            raise ValueError("a mailbox needs a username")
        if self.oauth.is_set and self.password is not None:
            raise ValueError("both password and oauth are set: the provider takes one of them")
        if self.oauth.is_set and self.tls is Tls.NONE:
            raise ValueError("oauth needs tls: whoever read a token on the way could read the mailbox")
        if len({self.folder, self.done, self.failed}) < 3:  # noqa: PLR2004  the three folders
            raise ValueError("folder, done and failed must be three different folders")
        return self

    @property
    def number(self) -> int:
        """The port that is connected to."""
        return self.port or (993 if self.tls is Tls.IMPLICIT else 143)


class BounceSettings(_Part):
    """Where bounces go."""

    domain: str | None = Field(None, description="domain of the return paths (VERP); none: the sender's address")
    imap: ImapSettings = ImapSettings()


_HookKey = Annotated[SecretStr, Field(min_length=16)]
"""The last part of a webhook's address: as long as a good password."""


class _HookSettings(_Part):
    """What a provider's webhook needs; off until all of it is set."""

    key: _HookKey | None = Field(
        None, description="last part of the webhook's address, 16 characters or more; none: off"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        values = [getattr(self, name) for name in type(self).model_fields]
        if any(values) and not all(values):
            missing = [name for name, value in zip(type(self).model_fields, values, strict=True) if not value]
            raise ValueError(f"a webhook needs all of its settings: set {' and '.join(missing)} as well")
        return self


class SesHookSettings(_HookSettings):
    """Amazon SES, which tells by way of Amazon SNS."""

    topics: tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:\S{1,256}$")], ...] | None = (
        Field(None, min_length=1, description="ARNs of the SNS topics that may speak")
    )


class PostmarkHookSettings(_HookSettings):
    """Postmark."""

    username: Annotated[str, Field(pattern=r"^[^:]+$")] | None = Field(
        None, description="user name that the webhook was given"
    )
    password: _HookKey | None = Field(None, description="password that the webhook was given, 16 characters or more")


class MailgunHookSettings(_HookSettings):
    """Mailgun."""

    signing_key: SecretStr | None = Field(None, min_length=1, description="Mailgun's HTTP webhook signing key")


class SendgridHookSettings(_HookSettings):
    """SendGrid."""

    public_key: str | None = Field(None, min_length=1, description="SendGrid's verification key for signed webhooks")


class BrevoHookSettings(_HookSettings):
    """Brevo."""

    token: _HookKey | None = Field(None, description="token that the webhook was given, 16 characters or more")


class HooksSettings(_Part):
    """What mail providers tell us by webhook; each is off until it is set."""

    ses: SesHookSettings = SesHookSettings()
    postmark: PostmarkHookSettings = PostmarkHookSettings()
    mailgun: MailgunHookSettings = MailgunHookSettings()
    sendgrid: SendgridHookSettings = SendgridHookSettings()
    brevo: BrevoHookSettings = BrevoHookSettings()


class SignupSettings(_Part):
    """How many sign-ups are taken, so that nobody floods strangers' mailboxes with confirmation mails."""

    per_network: Annotated[int, Field(ge=1)] = Field(
        5, description="sign-ups an hour from one network (/24, or /48 of IPv6) at most"
    )
    per_domain: Annotated[int, Field(ge=1)] = Field(
        100, description="sign-ups an hour for addresses of one domain at most"
    )
    per_hour: Annotated[int, Field(ge=1)] = Field(1000, description="sign-ups an hour altogether at most")


class DkimKeySettings(_Part):
    """The keys of one domain that signs."""

    selector: str = Field(description="the name under which the public keys are published")
    key_file: Path = Field(description="PEM file with an RSA key, an Ed25519 key, or both")


class DkimSettings(_Part):
    """Who signs what is sent; nobody by default."""

    domain: str | None = Field(None, description="domain that signs what is sent from it; none: nothing is signed")
    selector: str | None = Field(None, description="the name under which the domain's public keys are published")
    key_file: Path | None = Field(None, description="PEM file with the domain's RSA key, Ed25519 key, or both")
    domains: dict[str, DkimKeySettings] | None = Field(
        None, description="selector and key_file of further domains, by domain"
    )


class RetentionSettings(_Part):
    """How long is kept what says who people are; the terms end by themselves, once a day."""

    hour: Annotated[int, Field(ge=0, le=23)] = Field(3, description="the hour (UTC) after which it is done each day")
    unconfirmed: Annotated[int, Field(ge=1)] = Field(
        30, description="days after which a request that was never confirmed is erased, and the person with it"
    )
    singles: Annotated[int, Field(ge=1)] = Field(
        30, description="days after which single messages are deleted: confirmations, notices, tests"
    )
    ledger: Annotated[int, Field(ge=30)] = Field(
        396, description="days after which the deliveries of an issue no longer say whose they were"
    )
    events: Annotated[int, Field(ge=30)] = Field(
        396, description="days after which what came back is deleted: bounces, complaints, clicks, opens"
    )
    gone: Annotated[int, Field(ge=1)] = Field(
        730, description="days after which somebody who is on no list any more is erased"
    )
    consent: Annotated[int, Field(ge=1)] = Field(
        1096, description="days for which consent is proved, and deeds of operators told, when a person has gone"
    )


class WebSettings(_Part):
    """How the public pages are served."""

    proxies: tuple[str, ...] | None = Field(
        None,
        description="addresses of reverse proxies whose X-Forwarded headers are believed; none: those on this machine",
    )

    drain: Annotated[float, Field(ge=0, le=60)] = Field(
        0,
        description="seconds for which /ready says 503, and all else is answered, before a stopping web takes no more",
    )

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for proxy in proxies or ():
            ipaddress.ip_network(proxy)  # its ValueError says what is wrong
        return proxies


class MetricsSettings(_Part):
    """Who may read the figures of this installation at /metrics, beside programs on the web's own machine."""

    token: SecretStr | None = Field(
        None, min_length=16, description="bearer token for /metrics, 16 characters or more; none: this machine only"
    )


class LogSettings(_Part):
    """How processes that run for long write their log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error: the least that is written"
    )
    format: Literal["auto", "json", "plain"] = Field(
        "auto", description="json, plain, or auto: plain on a terminal, else JSON lines"
    )


class WebhookSettings(_Part):
    """Which programs of others may be called."""

    private: bool = Field(
        default=False,
        description="whether webhooks may lead into our own network: a program on this machine or beside it",
    )


class DeskSettings(_Part):
    """How operators sign in at the desk, and when it asks twice."""

    second_factor: Literal["viewer", "officer", "admin"] | None = Field(
        None,
        description="viewer, officer or admin: the least role that must sign in with a code as well; none: nobody must",
    )
    confirm_above: Annotated[int, Field(ge=0)] = Field(
        1000, description="people above which whoever schedules an issue has to type their number"
    )


class OidcSettings(_Part):
    """Signing in at the desk by way of the organisation's own provider (OpenID Connect); off until it is set."""

    issuer: str | None = Field(
        None,
        pattern=r"^(https://[^/\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)(/[^\s?#]*)?$",
        description="the provider's address, as it stands in its tokens (https); none: nobody signs in that way",
    )
    client_id: str | None = Field(None, description="the name under which the desk is registered there")
    client_secret: SecretStr | None = Field(None, description="the secret of that registration")
    name: str = Field(
        "single sign-on", min_length=1, max_length=60, description="how the provider is called on the button"
    )
    scope: str = Field("openid email profile", pattern=r"^openid( .*)?$", description="what is asked for")
    create: Literal["viewer", "officer", "admin"] | None = Field(
        None, description="viewer, officer or admin: the role of somebody the desk does not know; none: refused"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.issuer is None:
            if self.client_id is not None or self.client_secret is not None:
                raise ValueError("issuer is missing: the provider says what its address is")
        elif self.client_id is None or self.client_secret is None:
            raise ValueError("set client_id and client_secret: the desk has to be registered with the provider")
        return self

    @property
    def is_set(self) -> bool:
        """Whether somebody can sign in that way."""
        return self.issuer is not None


class Settings(BaseSettings):
    """The whole tree."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="NEWSLETTER_", env_nested_delimiter="__", extra="forbid", toml_file=FILE
    )

    database: DatabaseSettings = DatabaseSettings()
    smtp: SmtpSettings = SmtpSettings()
    relays: tuple[RelaySettings, ...] | None = Field(
        None, min_length=1, description="several relays in place of smtp, a table [[relays]] each"
    )
    dispatch: DispatchSettings = DispatchSettings()
    worker: WorkerSettings = WorkerSettings()
    bounce: BounceSettings = BounceSettings()
    dkim: DkimSettings = DkimSettings()
    retention: RetentionSettings = RetentionSettings()
    hooks: HooksSettings = HooksSettings()
    signup: SignupSettings = SignupSettings()
    web: WebSettings = WebSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    webhooks: WebhookSettings = WebhookSettings()
    desk: DeskSettings = DeskSettings()
    oidc: OidcSettings = OidcSettings()
    public_url: str = Field(
        "http://localhost:8000", pattern=r"^https?://[^/\s]+", description="root of every public link"
    )
    media_url: str | None = Field(
        None,
        pattern=r"^(https?://[^/\s]+|file:///)",
        description="root of stored pictures; none: /media under public_url",
    )
    secret_key: SecretStr | None = Field(
        None, description="signs links; none: one is made and kept beside the database"
    )
    key_file: Path | None = Field(
        None, description="file with the keys of this installation; none: beside a SQLite file, else under ./var"
    )
    operator: str = Field("system", description="who acts, for the audit log; --as wins")
    language: str = Field("en", description="the language in which operators read findings: en or fr")

    @property
    def outlets(self) -> tuple[SmtpSettings, ...]:
        """The relays that take our mail: those of `relays`, else the one of `smtp`."""
        return self.relays or (self.smtp,)

    @model_validator(mode="after")
    def _names_its_relays(self) -> Self:
        if self.relays is None:
            return self
        if "smtp" in self.model_fields_set:
            raise ValueError("both [smtp] and [[relays]] are set: make [smtp] one of the [[relays]], with a name")
        if len({relay.name for relay in self.relays}) < len(self.relays):
            raise ValueError("two of the [[relays]] have the same name: give each its own")
        if all(relay.is_spare for relay in self.relays):
            raise ValueError("all [[relays]] are spare: give one of them the role primary")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic-settings'
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**overrides: Any) -> Settings:
    """Read the settings; raises ConfigurationFault naming the setting and what is wrong with it."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        words = first["msg"].removeprefix("Value error, ")
        name = "NEWSLETTER_" + "__".join(str(part).upper() for part in first["loc"])
        raise ConfigurationFault(f"{name}: {words}" if first["loc"] else words) from error
    except ValueError as error:  # a TOML file that does not parse
        raise ConfigurationFault(f"{FILE}: {error}") from error

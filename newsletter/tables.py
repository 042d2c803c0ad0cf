"""Every table of the program, in one metadata: what a migration has to make."""

from typing import Final

from newsletter.accounts import alerts as _alerts  # noqa: F401
from newsletter.accounts import credentials as _credentials  # noqa: F401  each import registers its tables
from newsletter.accounts import models as _accounts  # noqa: F401
from newsletter.accounts import replies as _replies  # noqa: F401
from newsletter.accounts import webhooks as _webhooks  # noqa: F401
from newsletter.assembly import due as _due  # noqa: F401
from newsletter.assembly import models as _assembly  # noqa: F401
from newsletter.compilation import models as _compilation  # noqa: F401
from newsletter.content import models as _content  # noqa: F401
from newsletter.dispatch import models as _dispatch  # noqa: F401
from newsletter.dispatch import reports as _reports  # noqa: F401
from newsletter.dispatch import totals as _totals  # noqa: F401
from newsletter.feedback import models as _feedback  # noqa: F401
from newsletter.feedback.clicks import models as _clicks  # noqa: F401
from newsletter.feedback.providers import seen as _seen  # noqa: F401
from newsletter.keeping import models as _keeping  # noqa: F401
from newsletter.planning import log as _log  # noqa: F401
from newsletter.planning import models as _planning  # noqa: F401
from newsletter.preflight import models as _preflight  # noqa: F401
from newsletter.preflight import review_models as _reviews  # noqa: F401
from subscribers import models as _subscribers  # noqa: F401
from subscribers.columns import Base

METADATA: Final = Base.metadata
"""Filled by the modules above."""

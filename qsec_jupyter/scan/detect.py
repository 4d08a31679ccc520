"""The second rule source: detect-secrets' plugins, compiled into the same engine as our own rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from .rules.loader import Rule

OMITTED: dict[str, str] = {
    "Base64HighEntropyString": "flags every long token; slow and noisy (71 false alarms a MB)",
    "HexHighEntropyString": "flags every digest; slow and noisy",
    "KeywordDetector": "our named-secret rules do this with a model of what is not a secret",
    "IPPublicDetector": "an address is not a credential",
    "AzureStorageKeyDetector": "our Azure rule also checks what is published",
    "TelegramBotTokenDetector": "our rule also wants the letter that every token begins with",
    "TwilioKeyDetector": "its first form is an account's number, which is no secret; ours takes keys",
    "AWSKeyDetector": "our AWS rules also check alphabet and neighbours",
    "GitHubTokenDetector": "our GitHub rules also check the CRC32",
    "JwtTokenDetector": "our rule also checks the header",
    "PrivateKeyDetector": "our rule takes the whole key, not its first line",
    "IbmCloudIamDetector": "our IBM rules cover it; its optional prefix flags any 44 characters after 'key'",
    "ArtifactoryDetector": "its second form is any word of eleven letters that begins with AP and A to F",
}
"""Plugins that are left out, and why. ``qsec rules`` will let a user turn them on."""

_TRIGGERS = {
    # A part of what the expression must match, without its costly optional beginning.
    "CloudantDetector": r"(?i)(?:cloudant|clou|cl)[_-]?(?:api)?(?:key|pwd?|pass|token)|cloudant\.com",
    "SoftlayerDetector": r"(?i)(?:softlayer|sl)[_-]?(?:api)?[_-]?(?:key|pwd|pass|token)|softlayer\.com/soap",
    "DiscordBotTokenDetector": "(?:[MNO][DTjz][AEIMQUYcgk][wxyz0-5]){5}",
    "IbmCosHmacDetector": r"(?i)secret[-_]?(?:access)?[-_]?key",
    "MailchimpDetector": "-us[0-9]",
    "OpenAIDetector": "T3BlbkFJ",
}
_FLAGS = ((re.IGNORECASE, "i"), (re.DOTALL, "s"), (re.MULTILINE, "m"), (re.VERBOSE, "x"))
_REMEDY = "Withdraw it where it was issued; if it opens nothing, keep it with a reason."
_LABELS = {
    "IbmCosHmacDetector": "ibm-cos",
    "BasicAuthDetector": "password",
}


def version() -> str:
    """Return the version of detect-secrets, a part of what tells one set of compiled rules from another.

    Read from its own file: asking the metadata of installed packages would add a tenth to every start.
    """
    found = find_spec("detect_secrets")
    assert found
    assert found.origin
    return Path(found.origin).with_name("__version__.py").read_text("utf-8").strip()


def rules() -> Iterator[Rule]:
    """Yield a rule for each expression of each plugin that is not in :data:`OMITTED`."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins = get_mapping_from_secret_type_to_class()
    for title, plugin in sorted(plugins.items()):
        name = plugin.__name__
        if name in OMITTED:
            continue
        slug = title.lower().replace(" ", "-")
        for number, expression in enumerate(plugin.denylist):
            flags = "".join(letter for flag, letter in _FLAGS if expression.flags & flag)
            yield Rule(
                id=f"detect-secrets/{slug}/{number}",
                label=_LABELS.get(name, slug),
                title=title,
                severity="medium" if name == "BasicAuthDetector" else "high",
                remedy=_REMEDY,
                pattern=(f"(?{flags})" if flags else "") + _bounded(expression.pattern),
                trigger=_TRIGGERS.get(name, ""),
                entropy=2.0,
                checks=("password",) if name == "BasicAuthDetector" else (),
                source="detect-secrets",
            )


def _bounded(pattern: str) -> str:
    """Return ``pattern`` with bounds where runs of spaces or of anything make it slow beyond proportion."""
    for run, bounded in ((" *", " {0,20}"), (" +", " {1,20}"), (".+", ".{1,300}"), (".*", ".{0,300}")):
        pattern = pattern.replace(run, bounded)
    return pattern.replace(r"\s*", r"\s{0,20}")

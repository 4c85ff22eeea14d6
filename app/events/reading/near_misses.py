"""Find fields that are not read although their names resemble the names of fields that are read.

A hint contains names of fields only, never a value: values may be personal data. The names come
from closed lists, so that a hint is short and the statistics have few different hints.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.accounts.traits import ACCOUNT_COLUMNS, LINK_TRAITS, PRICE_TRAITS, SPELLINGS

UNREAD_FIELD = "unread_field"
NOTHING = (None, "")
SEPARATORS = str.maketrans("", "", " _-.()[]$€£/:#")
UNITS = re.compile(r"(in)?(cents|usd|eur|gbp)$")
MRR_UNIT = " It is the price of one month, in units of the currency and not in cents."
ACCOUNT_CALL = "a `group` call"


class NearMisses:
    """Names that are not read, each with the name that is probably meant.

    ``elsewhere``: the right name itself is not read here, but at another place of the event.
    The frozen set makes the usual case, no near miss, cost less than a microsecond.
    """

    def __init__(self, *groups: tuple[str, Iterable[str]], elsewhere: bool = False) -> None:
        self.elsewhere = elsewhere
        self.meant = {
            variant: meant
            for meant, names in groups
            for name in names
            for variant in _spellings(name)
            if elsewhere or variant != meant
        }
        self.names = frozenset(self.meant)

    def find(self, fields: Mapping[str, Any], prefix: str = "") -> tuple[str, ...]:
        """Return a hint for each near miss among the fields that has a value."""
        if self.names.isdisjoint(fields):
            return ()
        return tuple(
            _hint(prefix + name, f"`{self.meant[name]}`")
            for name in fields
            if name in self.names and fields[name] not in NOTHING
            if self.elsewhere or fields.get(self.meant[name]) in NOTHING
        )


def _spellings(name: str) -> set[str]:
    """Return how programs spell a name such as ``account_id``."""
    first, *rest = name.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    spelled = {name, camel, camel[:1].upper() + camel[1:], camel.lower(), name.upper()}
    if rest and rest[-1] == "id":
        spelled |= {f"{each[:-2]}ID" for each in spelled if each.endswith("Id")}
    return spelled | {name.replace("_", "-"), name.replace("_", " ").title()}


ACCOUNT_ID_NAMES = (
    *("account_id", "company_id", "group_id", "organization_id", "organisation_id"),
    *("org_id", "tenant_id"),
)
ACCOUNT_NAMES = (
    *(*ACCOUNT_ID_NAMES, "workspace_id", "team_id", "account", "company", "organization"),
    *("organisation", "group"),
)
"""Beside ``event`` and in the context. Properties may have such names for other reasons."""
USER_NAMES = ("user_id", "user", "distinct_id", "uid")
TIME_NAMES = (
    *("timestamp", "time", "event_time", "occurred_at", "ts", "created_at", "datetime", "date"),
)
MESSAGE_ID_NAMES = ("message_id", "event_id", "insert_id")
NATIVE_FIELDS = NearMisses(
    ("user_id", USER_NAMES),
    ("anonymous_id", ("anonymous_id",)),
    ("previous_id", ("previous_id",)),
    ("message_id", MESSAGE_ID_NAMES),
    ("timestamp", (*TIME_NAMES, "original_timestamp")),
    ("event", ("event", "event_name")),
    ("end_customer_id", ("end_customer_id",)),
    ("properties", ("properties", "props")),
    ("traits", ("traits",)),
)
NATIVE_ACCOUNT = NearMisses(("account_id", ACCOUNT_NAMES))
NATIVE_CONTEXT = NearMisses(("account_id", ACCOUNT_NAMES), elsewhere=True)
NATIVE_PROPERTY = NearMisses(("account_id", ACCOUNT_ID_NAMES), elsewhere=True)
SEGMENT_FIELDS = NearMisses(
    ("userId", USER_NAMES),
    ("anonymousId", ("anonymous_id",)),
    ("previousId", ("previous_id",)),
    ("messageId", MESSAGE_ID_NAMES),
    ("timestamp", TIME_NAMES),
    ("event", ("event", "event_name")),
    ("properties", ("properties", "props")),
    ("traits", ("traits",)),
)
CLOUD_EVENT_FIELDS = NearMisses(
    ("accountid", ACCOUNT_ID_NAMES), ("userid", ("user_id",)), ("anonymousid", ("anonymous_id",))
)
SEGMENT_GROUP = NearMisses(("groupId", ACCOUNT_NAMES))
SEGMENT_ACCOUNT = NearMisses(("context.groupId", ACCOUNT_NAMES))
SEGMENT_PROPERTY = NearMisses(("properties.account_id", ACCOUNT_ID_NAMES))

ACCOUNT_TRAIT_NAMES: Mapping[str, Iterable[str]] = {
    "mrr": (
        *("mrramount", "mrrvalue", "mrrtotal", "currentmrr", "totalmrr", "monthlymrr", "netmrr"),
        *("grossmrr", "accountmrr", "subscriptionmrr", "customermrr"),
        *("monthlyspend", "monthlyrevenue", "monthlyrecurringrevenue", "monthlyprice"),
        *("monthlyfee", "monthlyamount", "monthlyvalue", "price", "spend", "arr"),
        *("annualrecurringrevenue", "acv", "annualcontractvalue", "contractvalue"),
        *("amount", "billingamount", "subscriptionamount", "subscriptionprice", "planprice"),
        *("planamount", "monthlycost", "monthlycharge"),
    ),
    "plan": (
        *("planname", "plantype", "planid", "plancode", "plantier", "subscriptionplan"),
        *("pricingplan", "currentplan", "subscriptiontier", "tier"),
    ),
    "name": (
        *("accountname", "groupname", "organizationname", "organisationname", "orgname"),
        "displayname",
    ),
    "currency": ("currencycode", "billingcurrency"),
    "seats": (
        *("seatcount", "seatscount", "numberofseats", "numseats", "totalseats", "paidseats"),
        *("purchasedseats", "licenses", "licences", "licensecount", "licensedseats", "quantity"),
        *("seatlimit", "maxseats"),
    ),
    "renewal_date": (
        *("renewal", "renewalon", "renewalat", "renewson", "renewsat", "nextrenewal"),
        *("nextrenewaldate", "contractend", "contractenddate", "subscriptionenddate"),
        *("contractrenewal", "contractrenewaldate", "subscriptionrenewal"),
        "subscriptionrenewaldate",
    ),
    "billing_period": (
        *("billingcycle", "billinginterval", "billingfrequency", "billingterm", "planinterval"),
    ),
    "employees": (
        *("employeecount", "employeescount", "numberofemployees", "numemployees"),
        *("companysize", "headcount"),
    ),
    "end_customers": (
        *("endcustomercount", "endcustomerscount", "customercount", "numcustomers"),
        *("numberofcustomers", "customers"),
    ),
    "created_at": (
        *("created", "createdon", "createddate", "createdate", "datecreated", "signupdate"),
        *("signedupat", "startedon", "startdate", "customersince"),
    ),
    "segment": ("customersegment", "accountsegment", "marketsegment"),
    "owner": (
        *("accountowner", "accountmanager", "csm", "customersuccessmanager", "ownername"),
        *("owneremail", "csmemail", "csmname", "accountownername", "accountowneremail"),
    ),
    "industry": ("vertical", "industryname", "sector"),
    "parent_id": ("parent", "parentaccount", "parentaccountid", "parentgroupid"),
    "external_ids": ("externalid",),
}
PERSON_TRAIT_NAMES: Mapping[str, Iterable[str]] = {
    "email": ("email", "emailaddress", "mail", "useremail", "primaryemail", "workemail"),
    "name": ("name", "fullname", "displayname"),
    "firstName": ("firstname", "givenname"),
    "lastName": ("lastname", "familyname", "surname"),
    "role": ("role", "userrole", "jobtitle", "title"),
}
"""Names in lower case and without separators."""


def _by_plain_name(names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {_plain(each): meant for meant, each_name in names.items() for each in each_name}


def _plain(name: str) -> str:
    return name.translate(SEPARATORS).lower()


ACCOUNT_TRAITS = ACCOUNT_COLUMNS.keys() | PRICE_TRAITS.keys() | LINK_TRAITS.keys()
READ_TRAITS = frozenset(ACCOUNT_TRAITS | SPELLINGS.keys())
READ_PROPERTIES = READ_TRAITS | {
    *("account_name", "plan_name", "price", "quantity", "interval", "billing_interval"),
}
READ_PERSON_TRAITS = frozenset(PERSON_TRAIT_NAMES)
PLACED_TRAITS: Mapping[str, Collection[str]] = {
    "group": frozenset(ACCOUNT_TRAITS - {"created_at"}),
    "identify": READ_PERSON_TRAITS,
}
"""``created_at`` beside the traits may be the time of the call."""
MEANT_TRAITS = {
    **{_plain(name): SPELLINGS.get(name, name) for name in READ_TRAITS},
    **_by_plain_name(ACCOUNT_TRAIT_NAMES),
}
MEANT_PRICES = {plain: meant for plain, meant in MEANT_TRAITS.items() if meant in PRICE_TRAITS}
MEANT_PERSON_TRAITS = _by_plain_name(PERSON_TRAIT_NAMES)
ACCOUNT_TRAITS_OF_PEOPLE = ("mrr", "plan", "seats", "renewal_date")
MEANT_ACCOUNT_TRAITS = {
    plain: meant for plain, meant in MEANT_TRAITS.items() if meant in ACCOUNT_TRAITS_OF_PEOPLE
}
MEANT_ACCOUNT_IDS = {_plain(name) for name in ACCOUNT_ID_NAMES} | {"company", "companies"}


def account_trait_hints(traits: Mapping[str, Any]) -> tuple[str, ...]:
    """Return hints for the traits of a ``group`` call."""
    return _trait_hints(traits, READ_TRAITS, MEANT_TRAITS)


def property_hints(properties: Mapping[str, Any], *, of_price: bool) -> tuple[str, ...]:
    """Return hints for the properties of a B2B event that sets a price or creates an account."""
    return _trait_hints(properties, READ_PROPERTIES, MEANT_PRICES if of_price else MEANT_TRAITS)


def person_trait_hints(traits: Mapping[str, Any], *, has_account: bool) -> tuple[str, ...]:
    """Return hints for the traits of an ``identify`` call: of a person, not of the account."""
    own = _trait_hints(traits, READ_PERSON_TRAITS, MEANT_PERSON_TRAITS)
    given = {name: _plain(name) for name, value in traits.items() if value is not None}
    of_account = tuple(
        _hint(name, f"`{MEANT_ACCOUNT_TRAITS[plain]}` of {ACCOUNT_CALL}")
        for name, plain in given.items()
        if plain in MEANT_ACCOUNT_TRAITS
    )
    ids = () if has_account else [name for name in given if given[name] in MEANT_ACCOUNT_IDS]
    return own + of_account + tuple(_hint(name, ACCOUNT_CALL) for name in ids)


def _trait_hints(
    traits: Mapping[str, Any], read: frozenset[str], meant: Mapping[str, str]
) -> tuple[str, ...]:
    """Return a hint for each trait that is not read, unless the trait that is meant is given."""
    given = {name for name, value in traits.items() if value is not None}
    found = {name: each for name in given - read if (each := _meant(_plain(name), meant))}
    known = {SPELLINGS.get(name, name) for name in given & read}
    return tuple(
        _hint(name, f"`{found[name]}`") + (MRR_UNIT if _needs_unit(name, found[name]) else "")
        for name in sorted(found)
        if found[name] not in known
    )


def _meant(plain: str, meant: Mapping[str, str]) -> str | None:
    """Return the trait that is meant. A price may have its unit as the last part of its name."""
    unit_free = meant.get(UNITS.sub("", plain))
    return meant.get(plain) or (unit_free if unit_free == "mrr" else None)


def place_hints(
    kind: str, traits: Mapping[str, Any], raw: Mapping[str, Any], properties: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return hints for traits that a ``group`` or ``identify`` call has beside its ``traits``."""
    names = PLACED_TRAITS.get(kind)
    if names is None:
        return ()
    return tuple(
        _hint(prefix + name, f"`traits.{name}`")
        for prefix, fields in (("", raw), ("properties.", properties))
        for name in fields
        if name in names and fields[name] not in NOTHING and traits.get(name) in NOTHING
    )


def _needs_unit(name: str, meant: str) -> bool:
    return meant == "mrr" and _plain(name) != meant


def _hint(name: str, meant: str) -> str:
    return f"`{name}` is not read; did you mean {meant}?"

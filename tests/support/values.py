"""Values of Redshift's types that every driver must bring back: declared type, SQL literal, what Python gets."""
import datetime as dt
from decimal import Decimal

UTC = dt.timezone.utc

STORED = [
    ("smallint", "-32768", -32768),
    ("integer", "2147483647", 2147483647),
    ("bigint", "-9223372036854775808", -9223372036854775808),
    ("decimal(18,4)", "-12345678901234.5678", Decimal("-12345678901234.5678")),
    ("real", "1.5", 1.5),
    ("double precision", "-1e300", -1e300),
    ("boolean", "true", True),
    ("char(5)", "'ab'", "ab   "),
    ("varchar(20)", "'h\u00e9\u00e9'", "h\u00e9\u00e9"),
    ("date", "'1900-02-28'", dt.date(1900, 2, 28)),
    ("timestamp", "'2024-02-29 23:59:59.123456'", dt.datetime(2024, 2, 29, 23, 59, 59, 123456)),
    ("timestamptz", "'2024-02-29 23:59:59.5+02'", dt.datetime(2024, 2, 29, 21, 59, 59, 500000, UTC)),
    ("time", "'23:59:59.5'", dt.time(23, 59, 59, 500000)),
    ("timetz", "'01:00:00.25+02'", dt.time(23, 0, 0, 250000, UTC)),
]

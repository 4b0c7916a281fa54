"""Markdown tables."""

import math


machine = ""  # that all tables are of


def table(title, header, rows):
    """Prints a table; the first column is text, the others are numbers."""
    cells = [header] + [[str(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    print(f"\n### {title} ({machine})\n")
    print(_line(header, widths))
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    print("| " + " | ".join(rule) + " |")
    for row in cells[1:]:
        print(_line(row, widths))


def note(text):
    print(f"\n{text}")


def number(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def times(value):
    return "-" if value is None else f"{number(value)} x"


def percent(value):
    return f"{100 * value:+.3f} %"


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def _line(row, widths):
    first, *others = row
    padded = [first.ljust(widths[0])]
    padded += [value.rjust(width) for value, width in zip(others, widths[1:], strict=True)]
    return "| " + " | ".join(padded) + " |"

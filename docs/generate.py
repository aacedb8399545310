"""Pages that have their only source in the code: the rule gallery from the rule table, the commands from ``--help``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from diagnostics.chart.build import as_svg, chart
from diagnostics.diagnosis.example import example_of
from diagnostics.messages import finding_message
from diagnostics.model.records import Label
from diagnostics.rules import RULES, Rule

TITLES = {
    Label.BROKEN: "Broken log or data",
    Label.UNSTABLE: "Unstable",
    Label.OVERFIT: "Overfit",
    Label.UNDERFIT: "Underfit",
}
WIDTH = 720


def main(out: Path) -> None:
    """Write the gallery's index, a page and a picture for each rule, and a page for the command line to ``out``."""
    rules = out / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    for rule in RULES:
        _write(rules / f"{rule.name}.md", rule_page(rule, rules / f"{rule.name}.svg"))
    _write(rules / "index.md", gallery())
    _write(out / "commands.md", commands())


def gallery() -> str:
    """The index of the gallery: every rule by the label it gives, in order of precedence."""
    parts = [
        "# Rule gallery",
        f"{len(RULES)} rules read the curves. The first one that fires, in this order, sets the verdict; the others "
        "are reported beside it. A rule marked *(noted)* never sets the verdict by itself, and its advice is optional. "
        "`tuner rules NAME` prints the same page in the terminal.",
    ]
    for label, title in TITLES.items():
        rows = [
            f"| [`{rule.name}`]({rule.name}.md){'' if rule.sets_label else ' *(noted)*'} | {_cell(rule.cause)} | "
            f"{_cell(rule.fixes[0].in_words()) if rule.fixes else ''} |"
            for rule in RULES
            if rule.label is label
        ]
        parts += [f"## {title}", "\n".join(["| rule | why | first change |", "| --- | --- | --- |", *rows])]
    parts.append("```{toctree}\n:hidden:\n\n" + "\n".join(rule.name for rule in RULES) + "\n```")
    return "\n\n".join(parts) + "\n"


def rule_page(rule: Rule, picture: Path) -> str:
    """A rule's page: its picture on a synthetic run, the cause, what to change, when not to, limits and sources."""
    label = str(rule.label) + ("" if rule.sets_label else " (noted: never sets the verdict by itself)")
    parts = [f"# {rule.name}", f"**Verdict:** {label}", rule.cause]
    found = _picture(rule, picture)
    if found:
        parts += [f"![A synthetic run on which {rule.name} fires]({picture.name})", f"*{found}*"]
    fixes = "\n".join(f"{number}. {_text(fix.explain())}" for number, fix in enumerate(rule.fixes, 1))
    parts += ["## What to change", fixes or "No setting cures this."]
    parts += ["## When not to", f"{rule.not_when[:1].upper()}{rule.not_when[1:]}."] if rule.not_when else []
    limits = "\n".join(f"| `{name}` | {value:g} |" for name, value in rule.limits.items())
    parts += ["## Limits", "| limit | value |\n| --- | --- |\n" + limits] if limits else []
    parts += ["## Example", _text(rule.example)]
    parts += ["## Sources", "\n".join(f"- {_text(source)}" for source in rule.sources)]
    return "\n\n".join(parts) + "\n"


def _picture(rule: Rule, path: Path) -> str | None:
    """Draw the first synthetic run of the rule's cause on which it fires; what it says there, None when none does."""
    example = example_of(rule.name)
    if example is None:
        return None
    run, verdict = example
    path.write_text(str(as_svg(chart(run, verdict), width=WIDTH)), encoding="utf-8")
    message = finding_message(next(finding for finding in verdict.findings if finding.rule == rule.name))
    return f"{message[:1].upper()}{message[1:]}."


def commands() -> str:
    """The command line's own help, one section a command."""
    from tuner.cli import STATUSES, parser_of_all

    os.environ["COLUMNS"] = "100"
    parser = parser_of_all()
    parts = ["# Commands", f"```text\n{parser.format_help()}```"]
    action = next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    parts += [f"## tuner {name}\n\n```text\n{sub.format_help()}```" for name, sub in action.choices.items()]
    parts.append(STATUSES)
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    """Text in which Markdown reads no signs of its own."""
    return text.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _write(path: Path, text: str) -> None:
    """Write the page, only where it changed: Sphinx then reads only what is new."""
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(__file__).parent / "_generated")

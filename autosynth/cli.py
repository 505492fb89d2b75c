"""The command line: parsing and printing only.

Results go to stdout or a file, progress and warnings to stderr.  Exit codes: 0 good, 1 a check failed, 2 wrong usage
or input, or a check that could not run.  Names in messages come from files, so what a terminal would obey is printed as
an escape.  Plugins add commands through the hook ``autosynth_register_commands``.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, get_args

import typer

import autosynth
from autosynth.check_text import print_report, printable, verdict_of
from autosynth.exceptions import AutosynthError, CheckFailedError, ConfigError, DataError, OutputError, PluginError
from autosynth.options import check_choice
from autosynth.plugins import current_plugins

if TYPE_CHECKING:
    from autosynth.gate_files import GateFiles

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
EXIT_CODES = {"passed": 0, "failed": EXIT_FAILED, "error": EXIT_USAGE}  # of a gate, by its verdict

Label = Annotated[str, typer.Option("--label", help="The label column.")]
GroupBy = Annotated[
    list[str] | None, typer.Option("--group-by", help="A group column; repeat it for several. Without it: classes.")
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same rows.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
GeneratorName = Annotated[str, typer.Option("--generator", help="A name from `autosynth generators`, or auto.")]
Settings = Annotated[
    list[str] | None, typer.Option("--option", help="An option of the generator, as name=value; repeat it for several.")
]
Holdout = Annotated[
    Path | None, typer.Option("--holdout", help="Real rows that the generator must not know: CSV or Parquet.")
]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", help="What every row must keep, such as 'start <= end'; repeat it for several."),
]

app = typer.Typer(
    name="autosynth",
    help="Repair imbalanced tabular training data with synthetic rows, and prove what it did.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


@app.command()
def generators(as_json: AsJson = False) -> None:
    """List installed generators: by whom, with which options, and what is missing to run them."""
    found = autosynth.generators()
    if as_json:
        table = found.to_frame().to_dict(orient="records")
        typer.echo(json.dumps({"generators": table, "broken": dict(found.broken)}, indent=2))
        return
    for info in found:
        state = "runs" if not info.missing else f"needs {', '.join(info.missing)}"
        typer.echo(f"{info.name:18} {state:14} {info.summary}")
        if info.remote:
            typer.echo(f"{'':33} remote: sends real rows to another machine, which may cost money per call")
        if info.missing and info.extra:
            typer.echo(f"{'':33} install: pip install 'autosynth[{info.extra}]'")
        options = ", ".join(f"{name}={value!r}" for name, value in info.defaults.items()) or "none"
        typer.echo(f"{'':33} options: {options}")
        typer.echo(f"{'':33} from {info.distribution} (plugin {info.plugin!r})")
    for message in found.broken.values():
        _tell(f"broken: {message}")


@app.command()
def rebalance(
    train: Annotated[Path, typer.Argument(help="Real training rows: CSV or Parquet.")],
    label: Label,
    out: Annotated[Path, typer.Option("--out", help="Where the rows go: CSV or Parquet.")],
    group_by: GroupBy = None,
    generator: GeneratorName = "smote",
    option: Settings = None,
    strategy: Annotated[str, typer.Option(help="balance, or a ratio in (0, 1] of the largest group.")] = "balance",
    augment: Annotated[int, typer.Option(help="N rows more for every group.")] = 0,
    alpha: Annotated[float | None, typer.Option(help="Weight of the augmented part, 0 to 1.")] = None,
    synthetic_weight: Annotated[float, typer.Option(help="Weight of a synthetic row against a real one.")] = 1.0,
    check: Annotated[str, typer.Option(help="What a failed check does: off, warn or raise.")] = "warn",
    holdout: Holdout = None,
    copies: Annotated[
        str, typer.Option(help="Copies of real or held-out rows: keep, drop_exact or drop_near.")
    ] = "keep",
    rule: Rules = None,
    only_synthetic: Annotated[bool, typer.Option(help="Write the synthetic rows alone.")] = False,
    report: Annotated[Path | None, typer.Option(help="Also write a report: .html or .json.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Add synthetic rows to a table until its groups have the sizes asked for.

    The file written has two more columns, is_synthetic and weight. Rows made before a split leak into validation:
    rebalance training rows only, or use `autosynth fit`.
    """
    from autosynth.files import check_table_target, read_table, write_table

    check_table_target(out)
    check_report_path(report)
    frame = read_table(train)
    _check_groups(group_by, frame)
    taken = [name for name in ("is_synthetic", "weight") if name in frame.columns]
    if taken and not only_synthetic:
        raise ConfigError(f"the table has columns named {taken} already. Rename them, or use --only-synthetic.")
    with _progress(f"making rows with {generator}") as advance:
        result = autosynth.rebalance(
            frame,
            label=label,
            group_by=group_by,
            generator=generator,
            generator_options=parse_options(option),
            strategy=_parse_strategy(strategy),
            augment=augment,
            alpha=alpha,
            synthetic_weight=synthetic_weight,
            check=check,  # type: ignore[arg-type]  # checked there, with a message for people
            holdout=None if holdout is None else read_table(holdout, like=frame),
            copies=copies,  # type: ignore[arg-type]  # likewise
            rules=rule or (),
            random_state=seed,
            on_progress=advance,
        )
    marked = result.data.assign(is_synthetic=result.is_synthetic, weight=result.weights)
    write_table(result.synthetic if only_synthetic else marked, out)
    if report is not None:
        _write_report(result.report, report)
    typer.echo(_ascii_json(result.report.to_json()) if as_json else printable(result.report, keep="\n"))
    _tell(f"Wrote {out}")


@app.command()
def check(
    real: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    synthetic: Annotated[Path, typer.Argument(help="Synthetic rows with the same columns.")],
    label: Label,
    group_by: GroupBy = None,
    holdout: Holdout = None,
    rule: Rules = None,
    suite: Annotated[
        Path | None, typer.Option(help="A suite that `autosynth suite` saved; needs the extra gx.")
    ] = None,
    fail_on: Annotated[str, typer.Option(help="The mildest failure that fails the run: critical or warning.")] = (
        "critical"
    ),
    only_warn: Annotated[
        list[str] | None,
        typer.Option(help="A check, such as near_copies, whose failure is a warning; repeat it for several."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML for CI servers: .xml.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write one page with pictures: .html.")] = None,
    data_docs: Annotated[
        Path | None, typer.Option(help="Also write Great Expectations' pages to this folder; needs the extra gx.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show checks that passed one by one too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check synthetic against real rows, as a gate for pipelines.

    Exit code 0: no critical check failed. 1: one failed. 2: none failed but one could not run, or the usage or an
    input was wrong. A file that ``autosynth rebalance`` wrote is checked by its synthetic rows alone.
    """
    from autosynth.checks.result import Severity
    from autosynth.checks.rules import Rule
    from autosynth.gate_files import GateFiles

    with _json_of_errors(as_json):
        files = GateFiles(suite=suite, junit=junit, html=html, data_docs=data_docs)
        with _recorded_errors(files):
            check_choice("--fail-on", fail_on, get_args(Severity))
            rules = [Rule.parse(text) for text in rule or []]
            given = {**_read_rows(real, synthetic, holdout, group_by), "label": label, "rules": rules}
            if files.needs_plugin:
                found = _run_suite(suite=suite, data_docs=data_docs, **given)
            else:
                found = autosynth.check(**given)
            found = found.only_warn(only_warn or []).fail_on(fail_on)  # type: ignore[arg-type]  # checked above
        for path in files.write(found):
            _tell(f"Wrote {path}")
    raise typer.Exit(_print_verdict(found, as_json=as_json, verbose=verbose))


@app.command()
def probe(
    train: Annotated[Path, typer.Argument(help="Real rows: CSV or Parquet.")],
    label: Label,
    generator: GeneratorName,
    group_by: GroupBy = None,
    option: Settings = None,
    n_rows: Annotated[int, typer.Option("--rows", help="Synthetic rows to draw; more find smaller shares.")] = 200,
    hidden_share: Annotated[float, typer.Option(help="Share of the real rows to hide, above 0 and below 1.")] = 0.5,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Hide half of the real rows from a generator and see whether it makes them; exit code 1 when it does.

    Run it before you trust a pretrained model on a table that may be on the web.
    """
    from autosynth.files import read_table

    frame = read_table(train)
    _check_groups(group_by, frame)
    with _progress(f"making rows with {generator}") as advance:
        found = autosynth.probe_memorization(
            frame,
            label=label,
            group_by=group_by,
            generator=generator,
            generator_options=parse_options(option),
            n_rows=n_rows,
            hidden_share=hidden_share,
            random_state=seed,
            on_progress=advance,
        )
    typer.echo(json.dumps(found.to_dict(), indent=2) if as_json else printable(found, keep="\n"))
    if not found.passed:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def report(
    predictions: Annotated[Path, typer.Argument(help="Labels and probabilities of real test rows: CSV or Parquet.")],
    label: Label,
    proba: Annotated[
        list[str],
        typer.Option(help="Column with the positive class's probability, or class=column for every class."),
    ],
    baseline: Annotated[
        list[str] | None, typer.Option(help="The same for a second model, to compare with row by row.")
    ] = None,
    group_by: GroupBy = None,
    positive_class: Annotated[str | None, typer.Option(help="The positive class of two.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Decision threshold for two classes.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write one page with pictures: .html.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Report risk and more for every group of label x group columns, with intervals."""
    from autosynth.files import check_target, read_table

    if html is not None:
        if html.suffix != ".html":
            raise ConfigError(f"--html {str(html)!r} does not end in .html.")
        check_target(html)
    frame = read_table(predictions)
    _check_groups(group_by, frame)
    _require_columns(frame, [label, *(group_by or [])])
    found = autosynth.group_report(
        frame[label],
        _probabilities(frame, proba, label),
        groups=frame[group_by] if group_by else None,
        baseline=_probabilities(frame, baseline, label) if baseline else None,
        positive_class=_as_label(positive_class, frame[label]),
        threshold=threshold,
        random_state=seed,
    )
    if html is not None:
        _tell(f"Wrote {found.to_html(html)}")
    typer.echo(found.to_json() if as_json else printable(found, keep="\n"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            registry = current_plugins()
            for message in registry.broken.values():
                _tell(f"warning: {message}")
            for failure in registry.call_each("autosynth_register_commands", app=app):
                _tell(f"warning: {failure}")
            app(args=None if arguments is None else list(arguments))
        except CheckFailedError as error:
            _tell(str(error))
            sys.exit(EXIT_FAILED)
        except AutosynthError as error:
            _tell(f"error: {error}")
            sys.exit(EXIT_USAGE)
        except Exception:  # Python would exit with 1, which a pipeline reads as a failed check
            _tell(traceback.format_exc())
            _tell("error: this is a defect of autosynth or of a plugin. Please report it with the lines above.")
            sys.exit(EXIT_USAGE)
        except (KeyboardInterrupt, SystemExit) as stop:  # typer turns the one into the other
            if isinstance(stop, SystemExit) and stop.code != EXIT_INTERRUPTED:
                raise
            _tell("interrupted; no half-written file was left.")
            sys.exit(EXIT_INTERRUPTED)


def _tell(message: str) -> None:
    """Print to stderr, with what a terminal would obey written out."""
    typer.echo(printable(message, keep="\n"), err=True)


def parse_options(settings: Sequence[str] | None) -> dict[str, Any]:
    """Return ``name=value`` settings as a dict; a value that reads as JSON (3, 0.5, true, [1]) is taken as that."""
    options: dict[str, Any] = {}
    for setting in settings or []:
        name, separator, value = setting.partition("=")
        if not separator or not name:
            raise ConfigError(f"--option {setting!r} is not of the form name=value.")
        try:
            options[name] = None if value == "None" else json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options


def _read_rows(real: Path, synthetic: Path, holdout: Path | None, group_by: list[str] | None) -> dict[str, Any]:
    """Return the tables of a gate; CSV files have no types, so the real one says which columns hold texts."""
    from autosynth.files import read_table

    real_rows = read_table(real)
    _check_groups(group_by, real_rows)
    rows = _only_synthetic(read_table(synthetic, like=real_rows), real_rows)
    _tell(f"real: {real} ({len(real_rows)} rows), synthetic: {synthetic} ({len(rows)} rows)")
    held_out = None if holdout is None else read_table(holdout, like=real_rows)
    return {"real": real_rows, "synthetic": rows, "group_by": group_by, "holdout": held_out}


@contextmanager
def _json_of_errors(as_json: bool) -> Iterator[None]:
    """Print an error as JSON too where JSON was asked for, then let it go on."""
    try:
        yield
    except Exception as error:
        if as_json:
            facts = {"autosynth": autosynth.__version__, "verdict": "error", "exit_code": EXIT_USAGE}
            typer.echo(json.dumps({**facts, "error": str(error) or repr(error)}, indent=2))
        raise


@contextmanager
def _recorded_errors(files: GateFiles) -> Iterator[None]:
    """Write an error where the verdict would have gone, then let it go on."""
    try:
        yield
    except Exception as error:
        try:
            for path in files.write_error(error):
                _tell(f"Wrote {path}")
        except OSError as unwritten:  # must not hide the error that it should have told of
            _tell(f"warning: {unwritten}")
        raise


def _check_groups(group_by: Sequence[str] | None, frame: Any) -> None:
    """Raise where several group columns were given as one."""
    for name in group_by or []:
        parts = [part.strip() for part in name.split(",")]
        if name not in frame.columns and len(parts) > 1 and set(parts) <= set(frame.columns):
            options = " ".join(f"--group-by {part}" for part in parts)
            raise ConfigError(f"--group-by {name!r} is not a column. Repeat --group-by for several: {options}.")


def _only_synthetic(rows: Any, real: Any) -> Any:
    """Return the synthetic rows of a file that ``rebalance`` wrote, without the marks; other rows as they are."""
    if "is_synthetic" in real.columns and "is_synthetic" not in rows.columns:
        raise ConfigError(
            "the real rows have a column 'is_synthetic', and the synthetic ones have none. Were the arguments swapped? "
            "The real rows come first."
        )
    if "is_synthetic" not in rows.columns or "is_synthetic" in real.columns:
        return rows
    if not rows["is_synthetic"].isin([True, False]).all():
        raise DataError("column 'is_synthetic' of the synthetic rows holds values other than True and False.")
    marks = [name for name in ("is_synthetic", "weight") if name not in real.columns and name in rows.columns]
    return rows[rows["is_synthetic"].astype(bool)].drop(columns=marks)


def _run_suite(**given: Any) -> autosynth.CheckReport:
    """Return what the first plugin answers that runs suites."""
    answers = current_plugins().answers("autosynth_run_suite", **given)
    if not answers:
        raise ConfigError(
            "no installed plugin runs suites, which --suite and --data-docs ask for. Bring one with: "
            "pip install 'autosynth[gx]'"
        )
    plugin, answer = answers[0]
    if not isinstance(answer, autosynth.CheckReport):
        raise PluginError(
            f"plugin {plugin!r} answered autosynth_run_suite with {answer!r}. It must be a CheckReport or None."
        )
    return answer


def _print_verdict(found: autosynth.CheckReport, *, as_json: bool, verbose: bool) -> int:
    """Print a gate's report and return its exit code."""
    verdict = verdict_of(found)
    with _whatever_becomes_of_stdout():
        if as_json:
            facts = {"autosynth": autosynth.__version__, "verdict": verdict, "exit_code": EXIT_CODES[verdict]}
            typer.echo(json.dumps({**facts, **found.to_dict()}, indent=2))
        else:
            print_report(found, verbose=verbose)
        sys.stdout.flush()
    return EXIT_CODES[verdict]


@contextmanager
def _whatever_becomes_of_stdout() -> Iterator[None]:
    """Let a reader that went away, as ``head`` does, change no exit code; a full disk is an error of output."""
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"the verdict cannot be printed: {error}.") from error


def _parse_strategy(strategy: str) -> str | float:
    try:
        return float(strategy)
    except ValueError:
        return strategy


def _probabilities(frame: Any, columns: Sequence[str], label: str) -> Any:
    pairs = [column.partition("=")[::2] for column in columns]
    if len(columns) == 1 and not pairs[0][1]:
        _require_columns(frame, columns)
        return frame[columns[0]]
    if not all(name for _, name in pairs):
        raise ConfigError(f"{list(columns)} mixes forms. Give one column, or class=column for every class.")
    _require_columns(frame, [name for _, name in pairs])
    chosen = frame[[name for _, name in pairs]]
    return chosen.set_axis([_as_label(value, frame[label]) for value, _ in pairs], axis=1)


def _as_label(text: str | None, labels: Any) -> Any:
    """Return the label whose text this is; the text itself when there is none, so that the report says so."""
    return next((value for value in labels.unique() if str(value) == text), text)


def _require_columns(frame: Any, names: Sequence[str]) -> None:
    from autosynth.exceptions import nearest

    for name in names:
        if name not in frame.columns:
            raise ConfigError(f"{name!r} is not a column of the file.{nearest(name, frame.columns)}")


def check_report_path(path: Path | None) -> None:
    """Raise unless a report can be written to ``path``: before the work, and not after it.

    Raises
    ------
    ConfigError, OutputError
        If its name ends in neither .html nor .json, or no file can be written there.
    """
    if path is not None and path.suffix not in (".html", ".json"):
        raise ConfigError(f"--report {str(path)!r} ends in neither .html nor .json.")
    if path is not None:
        from autosynth.files import check_target

        check_target(path)


def _ascii_json(text: str) -> str:
    """Return JSON in which no character is left that a terminal would act on."""
    return json.dumps(json.loads(text), indent=2)


def _write_report(found: autosynth.RebalanceReport, path: Path) -> None:
    if path.suffix == ".json":
        found.to_json(path)
    else:
        found.to_html(path)
    _tell(f"Wrote {path}")


@contextmanager
def _progress(what: str) -> Iterator[Any]:
    """Show on stderr that work goes on, and how many rows there are; silent when stderr is no terminal."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed} rows"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda n_rows: progress.advance(task, n_rows)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,  # noqa: ARG001 - the signature of warnings.showwarning
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    if issubclass(category, autosynth.AutosynthWarning):
        _tell(f"warning: {message}")

package dev.quern.cli.conformance;

import dev.quern.cli.console.Sha256;
import dev.quern.cli.console.UserException;
import dev.quern.conformance.CellResult;
import dev.quern.conformance.DeepException;
import dev.quern.conformance.DeepRun;
import dev.quern.conformance.Failure;
import dev.quern.conformance.Largest;
import dev.quern.conformance.ModelKernel;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Target;
import dev.quern.conformance.report.Cost;
import dev.quern.conformance.report.Environment;
import dev.quern.conformance.report.Extent;
import dev.quern.conformance.report.Origin;
import dev.quern.conformance.report.Report;
import dev.quern.conformance.report.Tested;
import dev.quern.files.OutputException;
import dev.quern.measure.PeakMemory;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// `quern conformance --deep`: a [DeepRun], whose report is written again and again, so that it is
/// there however the run ends.
final class ConformanceDeep implements DeepRun.Watcher {
  private static final double DEFAULT_HOURS = 8;

  private static final int INTERRUPTED = 130; // what shells show for SIGINT

  /// How old a report may get while nothing fails.
  private static final Duration REPORT_EVERY = Duration.ofSeconds(30);

  private final ConformanceCommand command;
  private final Settings settings;
  private final Environment environment;
  private final ConformanceProgress progress;
  private final Thread stopped = new Thread(this::stopped, "quern-conformance-stopped");
  private Origin origin;
  private String replayCommand;
  private DeepRun run;
  private long written = System.nanoTime() - REPORT_EVERY.toNanos();
  private boolean failed;

  ConformanceDeep(ConformanceCommand command, Settings settings, Environment environment) {
    this.command = command;
    this.settings = settings;
    this.environment = environment;
    this.progress = new ConformanceProgress(command.console());
  }

  /// Where the run is kept.
  static Path state(ConformanceCommand command) {
    return command.state != null ? command.state : command.report.resolve("deep.state");
  }

  /// @param binaries the provider's JARs, as far as they are files
  int call(
      Target target,
      Selection selection,
      List<ModelKernel> models,
      Origin of,
      List<Path> binaries,
      String replayWith)
      throws IOException {
    origin = of;
    replayCommand = replayWith;
    try {
      run =
          DeepRun.open(
              target,
              settings,
              selection,
              models,
              Duration.ofMillis(Math.round(3_600_000 * hours())),
              state(command),
              origin.version() + " " + hash(binaries));
    } catch (DeepException e) {
      throw new UserException(e.getMessage(), e);
    }
    if (run.seconds() > 1) {
      command.console().err().println("quern: goes on with " + mode());
    }
    Runtime.getRuntime().addShutdownHook(stopped);
    boolean ending = false;
    try (progress) {
      run.run(this);
    } catch (OutputException | IllegalStateException e) {
      ending = isEnding(); // then nothing can be written any more, and that is no mistake
      if (!ending) {
        throw e;
      }
    } finally {
      ending |= isEnding();
    }
    if (ending) {
      return INTERRUPTED; // the other thread says all there is to say
    }
    Report report = report();
    command.console().out().print(report.text());
    if (command.report != null) {
      for (Path file : report.write(command.report)) {
        command.console().err().println("quern: wrote " + file);
      }
    }
    return report.green() ? 0 : 1;
  }

  /// Whether the JVM is ending; if not, nobody is told when it does, from now on.
  private boolean isEnding() {
    try {
      Runtime.getRuntime().removeShutdownHook(stopped);
      return false;
    } catch (IllegalStateException _) {
      return true;
    }
  }

  private double hours() {
    return command.hours == null ? DEFAULT_HOURS : command.hours;
  }

  private static String hash(List<Path> binaries) throws IOException {
    MessageDigest digest = Sha256.digest();
    for (Path jar : binaries) {
      if (Files.isRegularFile(jar)) { // of a folder of classes, the version must do
        try (InputStream in = new DigestInputStream(Files.newInputStream(jar), digest)) {
          in.transferTo(OutputStream.nullOutputStream());
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 8);
  }

  @Override
  public void progress(CellResult cell) {
    progress.tested(cell);
  }

  @Override
  public void failed(Failure failure) {
    failed = true;
    progress.close(); // its line would be written over
    command.console().err().println(failure.message(replayCommand));
  }

  @Override
  public void saved() {
    long now = System.nanoTime();
    if (command.report != null && (failed || now - written > REPORT_EVERY.toNanos())) {
      failed = false;
      written = now;
      try {
        report().write(command.report);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /// The JVM ends before the run does: by Ctrl-C, say. Files can't be written any more; the state
  /// and the report are as old as [#REPORT_EVERY] at most.
  private void stopped() {
    command.console().out().print(report().text());
    command
        .console()
        .err()
        .println(
            "quern: stopped; what is done is in "
                + state(command)
                + ", and the same command goes on from there");
  }

  private Report report() {
    Extent extent = new Extent(List.of(mode()), run.coverage().table(Largest.inModels()));
    Tested tested =
        new Tested(origin, run.result(), run.nanos(), replayCommand, Optional.of(extent));
    Cost cost = Cost.now(run.seconds(), PeakMemory.residentBytes());
    return new Report(environment, Optional.of(tested), Optional.empty(), Optional.of(cost));
  }

  private String mode() {
    return String.format(
        Locale.ROOT,
        "deep: round %d of %d tries each, the first with seed %d and each with the next; %.2f of %.2f hours; kept in %s",
        run.round(),
        settings.tries(),
        settings.seed(),
        run.seconds() / 3600,
        hours(),
        state(command));
  }
}

package dev.quern.cli.conformance;

import dev.quern.cli.console.UserException;
import dev.quern.cli.register.Claim;
import dev.quern.cli.register.ClaimFile;
import dev.quern.cli.register.ClaimMaker;
import dev.quern.cli.register.ContentHash;
import dev.quern.cli.register.Signature;
import dev.quern.cli.register.SuiteHash;
import dev.quern.cli.register.Verification;
import dev.quern.cli.register.Verification.Problem;
import dev.quern.conformance.Settings;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/// What [VerifyCommand] does.
final class VerifyRun {
  private final VerifyCommand command;

  VerifyRun(VerifyCommand command) {
    this.command = command;
  }

  int call() throws IOException {
    Optional<PublicKey> key =
        command.key == null ? Optional.empty() : Optional.of(Signature.publicKey(command.key));
    SuiteHash suite = SuiteHash.here();
    boolean all = true;
    for (Path report : command.reports) {
      String line;
      boolean stands = false;
      try {
        ClaimFile file = ClaimFile.read(report);
        List<String> problems = problems(report, file, suite, key);
        stands = problems.isEmpty();
        line = stands ? "stands: " + summary(file.claim()) : refused(problems);
      } catch (UserException e) {
        line = "refused: " + e.getMessage();
      } catch (CharacterCodingException e) {
        line = "refused: no UTF-8";
      }
      all &= stands;
      command.console().out().println(report + ": " + line);
    }
    return all ? 0 : 1;
  }

  private static String refused(List<String> problems) {
    return String.format(
        Locale.ROOT,
        "refused: %s%s",
        problems.getFirst(),
        problems.size() == 1 ? "" : " (and " + (problems.size() - 1) + " more)");
  }

  private static String summary(Claim c) {
    return String.format(
        Locale.ROOT,
        "%s %s keeps SPEC.md %s on %s %s, %s, %s%s",
        c.provider().name(),
        c.provider().version(),
        c.spec(),
        c.machine().os(),
        c.machine().arch(),
        c.provider().detail(),
        c.run().tries() < Settings.DEFAULT_TRIES ? "quick" : "full",
        c.waivers().isEmpty() ? "" : ", with " + c.waivers().size() + " waivers");
  }

  private List<String> problems(
      Path report, ClaimFile file, SuiteHash suite, Optional<PublicKey> key) throws IOException {
    List<String> problems =
        new ArrayList<>(
            Verification.of(file, suite, LocalDate.now(ZoneOffset.UTC)).stream()
                .map(Problem::text)
                .toList());
    if (key.isPresent()) {
      String problem = Signature.problem(file, key.get(), report);
      if (!problem.isEmpty()) {
        problems.add(problem);
      }
    }
    for (Path jar : command.jars) {
      problems.addAll(jar(file.claim(), jar));
    }
    if (command.rerun && problems.isEmpty()) {
      problems.addAll(rerun(file.claim()));
    }
    return problems;
  }

  private static List<String> jar(Claim claim, Path jar) throws IOException {
    String hash;
    try {
      hash = ContentHash.of(jar);
    } catch (IOException e) {
      throw new UserException(
          String.format(Locale.ROOT, "--provider-jar: %s can't be read (%s)", jar, e), e);
    }
    return claim.provider().files().stream().anyMatch(f -> f.sha256().equals(hash))
        ? List.of()
        : List.of(
            String.format(
                Locale.ROOT,
                "%s is not what was judged: its content hash is %s, expected one of %s",
                jar,
                hash,
                claim.provider().files()));
  }

  private List<String> rerun(Claim claim) throws IOException {
    ConformanceCommand again = new ConformanceCommand(command.console());
    again.provider = claim.provider().name();
    again.jars = command.jars;
    again.tries = claim.run().tries();
    again.seed = claim.run().seed();
    try (ConformanceRun run = new ConformanceRun(again)) {
      List<String> problems = new ArrayList<>(elsewhere(claim, run.platform()));
      List<Path> binaries = run.binaries(claim.provider().name());
      if (binaries.isEmpty()) {
        problems.add(
            "the provider here is neither a JAR nor a folder, so its hash can't be compared");
      } else {
        problems.addAll(jar(claim, binaries.getFirst()));
      }
      return problems.isEmpty() ? Verification.differences(claim, run.claim()) : problems;
    }
  }

  /// A rerun on another CPU, or with other flags of the JVM, would be of other kernels.
  private static List<String> elsewhere(Claim claim, Platform here) {
    List<String> problems = new ArrayList<>();
    Platform there = claim.machine().platform();
    if (!there.cpuFeatures().equals(here.cpuFeatures())) {
      TreeSet<String> more = new TreeSet<>(here.cpuFeatures());
      more.removeAll(there.cpuFeatures());
      TreeSet<String> fewer = new TreeSet<>(there.cpuFeatures());
      fewer.removeAll(here.cpuFeatures());
      problems.add(
          String.format(
              Locale.ROOT,
              "it can't be run again here: this CPU lacks %s and has besides %s (-Dquern.cpu.mask takes features away)",
              fewer,
              more));
    }
    if (!there.flags().equals(ClaimMaker.flags(here))) {
      problems.add(
          String.format(
              Locale.ROOT,
              "it can't be run again here: it was made with the JVM's flags %s, and here they are %s",
              there.flags(),
              ClaimMaker.flags(here)));
    }
    return problems;
  }
}

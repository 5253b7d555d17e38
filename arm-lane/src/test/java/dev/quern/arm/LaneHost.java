package dev.quern.arm;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// How this machine runs arm64 code: under emulation, in a folder that `arm-lane/sysroot` makes, or
/// directly.
///
/// @param sysroot the folder; null where the machine is an Arm machine itself
record LaneHost(Path sysroot) {
  private static final int SYSROOT_MINUTES = 15;

  /// The exit status of `arm-lane/sysroot` where packages can't be had.
  private static final int UNAVAILABLE = 69;

  /// Why there is no lane on this machine.
  static final class UnavailableException extends Exception {
    private static final long serialVersionUID = 1;

    UnavailableException(String reason) {
      super(reason);
    }
  }

  /// This machine.
  ///
  /// @param script `arm-lane/sysroot`
  /// @throws UnavailableException where arm64 code can't be run, and why
  static LaneHost find(Path script) throws IOException, InterruptedException, UnavailableException {
    String arch = System.getProperty("os.arch");
    if (arch.equals("aarch64")) {
      return new LaneHost(null);
    }
    if (!System.getProperty("os.name").equals("Linux") || !arch.equals("amd64")) {
      throw new UnavailableException(
          String.format(
              Locale.ROOT,
              "%s on %s, expected Linux on x86-64 or an Arm machine",
              System.getProperty("os.name"),
              arch));
    }
    Path log = Files.createTempFile("quern-arm-sysroot", ".log");
    try {
      Process process = new ProcessBuilder(script.toString()).redirectError(log.toFile()).start();
      String out = new String(process.getInputStream().readAllBytes()).strip();
      if (!process.waitFor(SYSROOT_MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IOException(
            String.format(Locale.ROOT, "%s: no end after %d minutes", script, SYSROOT_MINUTES));
      }
      String messages = Files.readString(log).strip();
      return switch (process.exitValue()) {
        case 0 -> new LaneHost(Path.of(out));
        case UNAVAILABLE -> throw new UnavailableException(messages);
        default ->
            throw new IOException(
                String.format(
                    Locale.ROOT, "%s: exit status %d: %s", script, process.exitValue(), messages));
      };
    } finally {
      Files.delete(log);
    }
  }

  boolean emulated() {
    return sysroot != null;
  }

  /// A row's process, not yet started.
  ///
  /// @param results where [RowMain] is to write
  ProcessBuilder process(ArmRow row, Path results, Map<String, String> properties) {
    List<String> command = new ArrayList<>();
    command.add(
        (emulated() ? sysroot : Path.of(System.getProperty("java.home")))
            .resolve("bin/java")
            .toString());
    command.addAll(row.jvmOptions());
    if (emulated()) {
      command.add("-Dquern.kleidi.library=" + library(row.library()));
    }
    properties.forEach((key, value) -> command.add("-D" + key + "=" + value));
    command.addAll(
        List.of("-cp", classPath(), RowMain.class.getName(), results.toString(), row.tags()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("ARM_CPU", row.cpu().cpu());
    builder.environment().put("ARM_QEMU", Integer.toString(row.cpu().qemu()));
    return builder;
  }

  /// KleidiAI of a Debian suite.
  Path library(String suite) {
    return sysroot.resolve("kleidiai/" + suite + "/libkleidiai.so");
  }

  /// The class path of the tests: this JVM's own, as absolute paths.
  static String classPath() {
    List<String> entries = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      entries.add(Path.of(entry).toAbsolutePath().toString());
    }
    return String.join(File.pathSeparator, entries);
  }
}

package dev.quern.conformance.rules;

import dev.quern.KernelOptions;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Declaration;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Platform;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Measures what one kernel allocates in a process that runs nothing else: [AllocationRule]'s
/// second opinion. The process gets this one's JARs as a class path, its modules of the JDK, its
/// `-X` options and its `quern.*` properties.
final class AllocationProbe {
  private static final int TIMEOUT_SECONDS = 180;

  /// Options that name an archive of classes, which belongs to this process's JARs and not to the
  /// other's, and which two must not write.
  private static final List<String> ARCHIVES =
      List.of("-XX:SharedArchiveFile", "-XX:ArchiveClassesAtExit", "-XX:AOT");

  private AllocationProbe() {}

  /// What became of a measurement.
  sealed interface Answer {
    /// Bytes a call.
    record Bytes(double least) implements Answer {}

    /// There is none, and why.
    record None(String reason) implements Answer {}
  }

  /// The provider in this process. What its author declares is no matter of memory.
  private record Alone(KernelProvider provider, Platform platform, Availability availability)
      implements Candidate {
    @Override
    public Declaration support() {
      throw new UnsupportedOperationException("no rule about memory asks for it");
    }
  }

  /// @param args the provider's class, that of the operator's suite, the case, and a file for the
  ///   result
  public static void main(String[] args) throws Exception {
    KernelProvider provider = provider(args[0]);
    OperatorSuite<?> suite =
        (OperatorSuite<?>) Class.forName(args[1]).getConstructor().newInstance();
    Platform platform = KernelOptions.fromSystem().providersPlatform();
    Candidate alone = new Alone(provider, platform, provider.open(platform));
    try (KernelSet _ = alone.kernels()) {
      double least = least(suite, args[2], alone);
      Files.writeString(Path.of(args[3]), Double.toString(least));
    }
  }

  private static <C extends Record & Case> double least(
      OperatorSuite<C> suite, String text, Candidate target) throws Exception {
    C c = CaseText.parse(suite.caseType(), text);
    return new AllocationRule<>(suite).least(c, target, AllocationRule.Patience.ALONE);
  }

  /// As [java.util.ServiceLoader] makes one from a class path.
  private static KernelProvider provider(String className) throws ReflectiveOperationException {
    return (KernelProvider) Class.forName(className).getConstructor().newInstance();
  }

  /// Measures in a new process.
  static Answer run(KernelProvider provider, Class<?> suite, String text)
      throws IOException, InterruptedException {
    Class<?> type = provider.getClass();
    try {
      type.getConstructor();
    } catch (NoSuchMethodException e) {
      return new Answer.None(type.getName() + " has no public constructor without parameters");
    }
    Path result = Files.createTempFile("quern-allocation", ".txt");
    Path log = Files.createTempFile("quern-allocation", ".log");
    try {
      List<String> command = command(type);
      command.addAll(
          List.of(
              AllocationProbe.class.getName(),
              type.getName(),
              suite.getName(),
              text,
              result.toString()));
      return answer(new ProcessBuilder(command), result, log);
    } finally {
      Files.delete(result);
      Files.delete(log);
    }
  }

  private static Answer answer(ProcessBuilder builder, Path result, Path log)
      throws IOException, InterruptedException {
    Process process;
    try {
      process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    } catch (IOException e) {
      return new Answer.None("it can't be started: " + e.getMessage());
    }
    try {
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        return new Answer.None(String.format(Locale.ROOT, "no result after %d s", TIMEOUT_SECONDS));
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    if (process.exitValue() != 0) {
      return new Answer.None(
          String.format(
              Locale.ROOT,
              "it ended with %d: %s",
              process.exitValue(),
              Files.readString(log).strip()));
    }
    return new Answer.Bytes(Double.parseDouble(Files.readString(result)));
  }

  private static List<String> command(Class<?> provider) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (option.startsWith("-X") && ARCHIVES.stream().noneMatch(option::startsWith)) {
        command.add(option);
      }
    }
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("quern."))
        .map(name -> String.format(Locale.ROOT, "-D%s=%s", name, System.getProperty(name)))
        .forEach(command::add);
    command.add("--add-modules=" + systemModules());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-cp");
    command.add(String.join(File.pathSeparator, classPath(provider)));
    return command;
  }

  private static String systemModules() {
    return ModuleLayer.boot().configuration().modules().stream()
        .filter(m -> m.reference().location().filter(l -> "jrt".equals(l.getScheme())).isPresent())
        .map(m -> m.name())
        .sorted()
        .collect(Collectors.joining(","));
  }

  /// Everything that this process could load, and where the provider was found.
  private static Set<String> classPath(Class<?> provider) {
    Set<String> path = new LinkedHashSet<>(elements("java.class.path"));
    for (String element : elements("jdk.module.path")) {
      path.add(element);
      path.add(element + File.separator + "*"); // a folder of JARs
    }
    CodeSource source = provider.getProtectionDomain().getCodeSource();
    if (source != null && "file".equals(source.getLocation().getProtocol())) {
      path.add(new File(source.getLocation().getPath()).getPath());
    }
    return path;
  }

  private static List<String> elements(String property) {
    return Stream.of(System.getProperty(property, "").split(File.pathSeparator))
        .filter(e -> !e.isEmpty())
        .toList();
  }
}

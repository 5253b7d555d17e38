package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.quern.spi.KernelProvider;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// What the author's guide writes is compiled as a module of its own, packed into a JAR and run
/// through its own conformance classes, and is the example project in the end. SurefireIT runs that
/// under Maven.
class ExampleProviderTest {
  private static final Path PROJECT = Path.of("example-provider");

  /// What the guide breaks on purpose, to show a failure.
  private static final String FINITE = "Double.isFinite(squares)";

  private static final int MAX_LINES = 100;

  /// The first suite: the guide up to its section on weights.
  @Test
  void theFirstSuiteIsGreen(@TempDir Path dir) throws Exception {
    Path first = dir.resolve("first");
    Guide.write(Guide.files(beforeWeights()), first);
    TestExecutionSummary summary;
    try (URLClassLoader loader = build(first.resolve("src"), dir)) {
      assertEquals("example", example(loader).name());
      summary = run(loader);
    }
    assertEquals(List.of(), failures(summary));
    assertTrue(summary.getTestsSucceededCount() > 60, "tests: " + summary.getTestsSucceededCount());
  }

  /// The failure that the guide shows: the same rule breaks, and so does the case that it replays.
  @Test
  void theGuidesFailureIsWhatTheSuiteSays(@TempDir Path dir) throws Exception {
    Path broken = dir.resolve("sources");
    try (Stream<Path> files = Files.walk(sources())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path to = broken.resolve(sources().relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.writeString(to, Files.readString(file).replace(FINITE, "true"));
      }
    }
    String shown = blocks("text").getFirst();
    String replay = shown.replaceFirst("(?s).*-Dquern.conformance.replay=(\\S+).*", "$1");
    assertTrue(blocks("sh").getFirst().contains(replay), "another replay string: " + replay);
    try (URLClassLoader loader = build(broken, dir)) {
      Failure all = failure(loader, Optional.empty());
      assertEquals(shown.lines().limit(2).toList(), all.message().lines().limit(2).toList());
      Failure replayed = failure(loader, Optional.of(replay));
      assertEquals(replay, replayed.replay());
      assertEquals(
          shown.lines().skip(1).filter(l -> !l.startsWith("  found as")).toList(),
          replayed.message().lines().skip(1).toList());
    }
  }

  private static Failure failure(URLClassLoader loader, Optional<String> replay) {
    Settings settings = new Settings(Settings.DEFAULT_TRIES, Settings.DEFAULT_SEED, replay);
    Selection rmsNorm = new Selection(Set.of("rmsnorm"), Set.of(), Set.of("N2"));
    return Suite.run(Target.here(example(loader)), settings, rmsNorm, cell -> {}).cells().stream()
        .flatMap(c -> c.firstFailure().stream())
        .findFirst()
        .orElseThrow();
  }

  private static KernelProvider example(URLClassLoader loader) {
    return ServiceLoader.load(KernelProvider.class, loader).stream()
        .map(ServiceLoader.Provider::get)
        .filter(p -> p.name().equals("example"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theGuidesFilesAreTheProjects() throws IOException {
    Map<String, String> project = new TreeMap<>();
    try (Stream<Path> walk = Files.walk(PROJECT.resolve("src"))) {
      for (Path file : walk.filter(Files::isRegularFile).toList()) {
        project.put(PROJECT.relativize(file).toString().replace('\\', '/'), Files.readString(file));
      }
    }
    String pom = Files.readString(PROJECT.resolve("pom.xml"));
    project.put("pom.xml", pom.substring(pom.indexOf("<project")));
    Map<String, String> guide = Guide.files();
    assertEquals(project.keySet(), guide.keySet());
    project.forEach((file, text) -> assertEquals(text, guide.get(file), file));
    long blocks = Stream.of("java", "xml", "properties").mapToLong(l -> blocks(l).size()).sum();
    assertTrue(blocks > guide.size(), "a block belongs to no file: " + blocks);
  }

  /// From an empty class to a green suite: all code before the guide's section on weights, but for
  /// imports, comments and empty lines.
  @Test
  void theFirstGreenSuiteTakesFewLines() throws IOException {
    String first = beforeWeights();
    long lines =
        Stream.of("java", "properties")
            .flatMap(l -> blocks(first, l).stream())
            .flatMap(String::lines)
            .map(String::strip)
            .filter(l -> !l.isEmpty() && !l.matches("(import|package|//|#).*"))
            .count();
    assertTrue(lines < MAX_LINES, "lines: " + lines);
    assertTrue(
        first.contains(String.format(Locale.ROOT, "%d lines", lines)),
        "the guide does not say " + lines);
  }

  private static String beforeWeights() throws IOException {
    String guide = Guide.page();
    return guide.substring(0, guide.indexOf("\n## 6."));
  }

  private static List<String> blocks(String language) {
    try {
      return blocks(Guide.page(), language);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> blocks(String text, String language) {
    return Pattern.compile("^```" + language + "\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL)
        .matcher(text)
        .results()
        .map((MatchResult m) -> m.group(1))
        .toList();
  }

  private static Path sources() {
    return PROJECT.resolve("src");
  }

  /// Compiles and packs main and tests; what loads them.
  private static URLClassLoader build(Path sources, Path dir) throws Exception {
    Path classes = dir.resolve("classes");
    Path main = sources.resolve("main");
    tool("javac", "-p", path(KernelProvider.class), "-d", classes.toString(), main);
    Path jar = dir.resolve("quern-provider-example.jar");
    Path resources = main.resolve("resources");
    tool("jar", "-c", "-f", jar.toString(), "-C", classes.toString(), ".", "-C", resources, ".");
    Path tests = dir.resolve("tests");
    String classPath = jar + File.pathSeparator + System.getProperty("java.class.path");
    tool("javac", "-cp", classPath, "-d", tests.toString(), sources.resolve("test"));
    URL[] urls = {jar.toUri().toURL(), Files.createDirectories(tests).toUri().toURL()};
    URLClassLoader loader = new URLClassLoader(urls, ExampleProviderTest.class.getClassLoader());
    assertTrue(
        ServiceLoader.load(KernelProvider.class, loader).stream()
            .anyMatch(p -> p.get().name().equals("example")),
        "not found as a service");
    return loader;
  }

  private static String path(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  /// Runs a tool of the JDK. A folder as javac's last argument means the sources in it.
  private static void tool(String name, Object... arguments) throws IOException {
    List<String> args = new ArrayList<>(Stream.of(arguments).map(Object::toString).toList());
    if (name.equals("javac")) {
      Path folder = Path.of(args.removeLast());
      args.addAll(List.of("-Xlint:all", "-Werror", "-proc:none"));
      try (Stream<Path> walk = Files.walk(folder)) {
        walk.map(Path::toString).filter(f -> f.endsWith(".java")).sorted().forEach(args::add);
      }
    }
    StringWriter output = new StringWriter();
    PrintWriter out = new PrintWriter(output);
    int exit =
        ToolProvider.findFirst(name).orElseThrow().run(out, out, args.toArray(String[]::new));
    assertEquals(0, exit, () -> name + ": " + output);
  }

  private static TestExecutionSummary run(URLClassLoader loader) throws Exception {
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(
                    selectClass(loader.loadClass("com.example.quern.ExampleConformanceTest")))
                .filters(EngineFilter.includeEngines("junit-jupiter"))
                .build(),
            listener);
    return listener.getSummary();
  }

  private static List<String> failures(TestExecutionSummary summary) {
    return summary.getFailures().stream().map(f -> f.getException().getMessage()).toList();
  }
}

package dev.quern.conformance.surefire;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.Guide;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/// The guide's project, written into an empty folder and built by Maven in a process of its own. It
/// gets Quern's artifacts as any author does, from a repository: one in the build's folder, with
/// this build's POMs and JARs. All else comes from the repository of the Maven that runs this
/// build, and what that lacks from where Maven fetches it.
final class AuthorProject {
  private static final Path HOME = Path.of(System.getProperty("quern.home"));
  private static final Path TARGET = HOME.resolve("conformance/target");
  private static final int TIMEOUT_MINUTES = 10;
  private static final Pattern SUMMARY =
      Pattern.compile(
          "Tests run: (\\d+), Failures: (\\d+), Errors: (\\d+), Skipped: (\\d+)(?:, Flakes: (\\d+))?\\s*$",
          Pattern.MULTILINE);

  private final Path folder;

  private AuthorProject(Path folder) {
    this.folder = folder;
  }

  /// A test as the XML has it.
  ///
  /// @param status `passed`, `skipped`, or the name of the element that says otherwise: `failure`,
  ///   `error`, `flakyFailure`, ...
  record Reported(String className, String name, String status) {}

  /// What became of a build.
  ///
  /// @param exit Maven's exit code
  /// @param log all that it printed
  /// @param tests from the XML files, each once
  record Built(int exit, String log, List<Reported> tests) {
    /// A number of the last summary: 1 all tests, 2 failures, 3 errors, 4 skipped, 5 flakes.
    int count(int group) {
      Matcher m = SUMMARY.matcher(log);
      String last = "0";
      while (m.find()) {
        last = m.group(group) == null ? "0" : m.group(group);
      }
      return Integer.parseInt(last);
    }

    /// The names of what failed, from the XML.
    List<String> failed() {
      return tests.stream()
          .filter(t -> t.status.equals("failure") || t.status.equals("error"))
          .map(Reported::name)
          .sorted()
          .toList();
    }

    /// The names of what failed, from the lines that the console shows for each.
    List<String> failedOnConsole() {
      return Pattern.compile(
              "^\\[ERROR\\] \\S+\\.([A-Z][0-9]+_[a-z0-9_]+( \\[[^\\]]*\\])?( \\(.*?\\))?|support_\\S+ \\[.*?\\]) .*<<< (FAILURE|ERROR)!",
              Pattern.MULTILINE)
          .matcher(log)
          .results()
          .map(r -> r.group(1))
          .distinct()
          .sorted()
          .toList();
    }
  }

  /// What the guide's reader has at its end.
  static AuthorProject ofGuide(Path folder) throws IOException {
    Guide.write(Guide.files(), folder);
    return new AuthorProject(folder);
  }

  /// With other versions than the guide's.
  AuthorProject versions(String surefire, String junit) throws IOException {
    edit("pom.xml", "(?s)(maven-surefire-plugin</artifactId>\\s*<version>)[^<]+", "$1" + surefire);
    return edit("pom.xml", "(?s)(junit-bom</artifactId>\\s*<version>)[^<]+", "$1" + junit);
  }

  /// Replaces text that must be there.
  AuthorProject edit(String file, String pattern, String replacement) throws IOException {
    Path path = folder.resolve(file);
    String text = Files.readString(path);
    Matcher m = Pattern.compile(pattern).matcher(text);
    assertTrue(m.find(), () -> file + " has no " + pattern);
    Files.writeString(path, m.replaceAll(replacement));
    return this;
  }

  AuthorProject write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
    return this;
  }

  /// `mvn test`.
  Built test(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(
        HOME.resolve(windows() ? "mvnw.cmd" : "mvnw").toAbsolutePath().normalize().toString());
    command.addAll(
        List.of(
            "-B",
            "-ntp",
            "test",
            "-Dmaven.repo.local=" + repository(),
            "-Dmaven.repo.local.tail=" + System.getProperty("quern.maven.repository")));
    command.addAll(List.of(options));
    Path log = folder.resolve("build.log");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    // What the outer Maven was told is not for this one.
    builder
        .environment()
        .keySet()
        .removeIf(k -> k.startsWith("MAVEN_") || k.startsWith("SUREFIRE"));
    Process process = builder.start();
    try {
      assertTrue(
          process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES),
          () -> "Maven still runs after " + TIMEOUT_MINUTES + " minutes, see " + log);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    String text = Files.readString(log);
    assertTrue(text.contains(" T E S T S"), () -> "no test was run:\n" + text);
    return new Built(process.exitValue(), text, reported());
  }

  private static boolean windows() {
    return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
  }

  private List<Reported> reported() throws IOException {
    TreeSet<String> seen = new TreeSet<>();
    List<Reported> tests = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder.resolve("target/surefire-reports"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".xml")).toList()) {
        NodeList cases = xml(file).getElementsByTagName("testcase");
        for (int i = 0; i < cases.getLength(); i++) {
          Element test = (Element) cases.item(i);
          Reported reported =
              new Reported(test.getAttribute("classname"), test.getAttribute("name"), status(test));
          if (seen.add(reported.toString())) {
            tests.add(reported);
          }
        }
      }
    }
    return tests;
  }

  private static String status(Element test) {
    NodeList children = test.getChildNodes();
    for (int i = 0; i < children.getLength(); i++) {
      if (children.item(i) instanceof Element e && !e.getTagName().startsWith("system-")) {
        return e.getTagName();
      }
    }
    return "passed";
  }

  private static Element xml(Path file) throws IOException {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(file.toFile())
          .getDocumentElement();
    } catch (Exception e) {
      throw new IOException(file + " is no XML", e);
    }
  }

  /// This build's POMs, and the JARs of the API and the suite, as a local repository.
  private static synchronized Path repository() throws IOException {
    Path repository = TARGET.resolve("author-repository");
    try (Stream<Path> files = Files.walk(HOME, 2)) {
      for (Path pom : files.filter(f -> f.getFileName().toString().equals("pom.xml")).toList()) {
        install(pom, repository);
      }
    }
    return repository;
  }

  private static void install(Path pom, Path repository) throws IOException {
    Element project = xml(pom);
    String artifact = text(project, "artifactId");
    String version = text(project, "version");
    NodeList parents = project.getElementsByTagName("parent");
    if (version.isEmpty() && parents.getLength() > 0) {
      version = text((Element) parents.item(0), "version");
    }
    assertNotEquals("", artifact, pom.toString());
    Path folder =
        Files.createDirectories(repository.resolve("dev/quern").resolve(artifact).resolve(version));
    String name = artifact + "-" + version;
    Files.copy(pom, folder.resolve(name + ".pom"), StandardCopyOption.REPLACE_EXISTING);
    Path jar = pom.resolveSibling("target").resolve(name + ".jar");
    if (List.of("quern-api", "quern-conformance").contains(artifact)) {
      assertTrue(Files.exists(jar), () -> jar + " is missing: this test runs after `package`");
      Files.copy(jar, folder.resolve(name + ".jar"), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /// The text of a child, empty if there is none.
  private static String text(Element parent, String child) {
    NodeList children = parent.getChildNodes();
    for (int i = 0; i < children.getLength(); i++) {
      if (children.item(i) instanceof Element e && e.getTagName().equals(child)) {
        return e.getTextContent().strip();
      }
    }
    return "";
  }
}

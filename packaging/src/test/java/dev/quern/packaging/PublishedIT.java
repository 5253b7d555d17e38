package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a second build makes and publishes: the same bytes, complete artifacts, and projects that
/// use them as docs/use.md says, word for word, from an empty folder.
class PublishedIT {
  private static final List<String> JARS =
      List.of(
          "quern-api",
          "quern-cli",
          "quern-conformance",
          "quern-demo-model",
          "quern-langchain4j",
          "quern-llama-model",
          "quern-measure",
          "quern-provider-native-kleidi",
          "quern-provider-native-x86",
          "quern-provider-scalar",
          "quern-provider-vector",
          "quern-serve",
          "quern-spark",
          "quern-spring-ai",
          "quern-spring-boot-starter",
          "quern-starter");

  /// Those whose dependencies are no modules, with the names that they have on a module path.
  private static final Map<String, String> AUTOMATIC =
      Map.of(
          "quern-langchain4j", "dev.quern.langchain4j",
          "quern-spark", "dev.quern.spark",
          "quern-spring-ai", "dev.quern.springai",
          "quern-spring-boot-starter", "dev.quern.spring.boot");

  private static final Page USE = Page.of(Published.HOME.resolve("docs/use.md"));
  private static final Page SPRING = Page.of(Published.HOME.resolve("docs/spring-ai.md"));
  private static final String STORY = ", there was a curious boy named Oskar.";

  @TempDir static Path folder;
  private static Published published;

  @BeforeAll
  static void publish() throws IOException {
    LeftOut.unlessFull(PublishedIT.class, "the published artifacts, and projects that use them");
    published = Published.shared();
  }

  @Test
  void aSecondBuildMakesTheSameBytes() throws IOException {
    List<Path> jars = Published.jars(published.source());
    assertTrue(jars.size() > 3 * JARS.size(), () -> "few JARs: " + jars);
    List<Path> others = new ArrayList<>();
    for (Path jar : jars) {
      Path first = Published.HOME.resolve(jar);
      if (!Files.exists(first) || Files.mismatch(first, published.source().resolve(jar)) >= 0) {
        others.add(jar);
      }
    }
    assertEquals(
        List.of(),
        others,
        "JARs with other bytes than those of this checkout in "
            + Published.HOME
            + ". If files were removed since its last clean build: ./build clean verify");
  }

  @Test
  void whatIsPublishedIsWhatIsMeantToBe() throws IOException {
    Set<String> expected = new TreeSet<>(JARS);
    expected.addAll(List.of("quern", "quern-bom"));
    try (Stream<Path> folders = Files.list(published.repository().resolve("dev/quern"))) {
      assertEquals(
          expected,
          folders
              .map(f -> f.getFileName().toString())
              .collect(Collectors.toCollection(TreeSet::new)));
    }
  }

  @Test
  void theBomManagesAllOfItAndNothingElse() throws IOException {
    Pom bom = pom("quern-bom");
    Set<String> managed = new TreeSet<>();
    for (String artifact :
        bom.texts("/project/dependencyManagement/dependencies/dependency/artifactId")) {
      managed.add(artifact);
    }
    assertEquals(new TreeSet<>(JARS), managed);
    assertEquals(
        Set.of("dev.quern"),
        Set.copyOf(bom.texts("/project/dependencyManagement/dependencies/dependency/groupId")));
    assertEquals(List.of(), bom.texts("/project/parent/artifactId"), "a parent manages more");
  }

  @Test
  void everyPomSaysWhatARepositoryWantsToKnow() throws IOException {
    Pom root = pom("quern");
    for (String artifact : withRoot()) {
      Pom pom = pom(artifact);
      for (String own : List.of("name", "description", "artifactId")) {
        assertFalse(pom.text("/project/" + own).isBlank(), artifact + " has no " + own);
      }
      boolean inherits = pom.text("/project/parent/artifactId").equals("quern");
      for (String common :
          List.of(
              "url",
              "licenses/license/name",
              "licenses/license/url",
              "developers/developer/name",
              "scm/connection",
              "scm/url")) {
        String value = pom.text("/project/" + common);
        if (value.isBlank() && inherits) {
          value = root.text("/project/" + common);
        }
        assertFalse(value.isBlank(), artifact + " has no " + common);
        assertEquals(root.text("/project/" + common), value, artifact + " " + common);
      }
    }
    assertEquals("the Quern authors", root.text("/project/developers/developer/name"));
    assertEquals("Apache-2.0", root.text("/project/licenses/license/name"));
  }

  @Test
  void everyJarIsAModuleWithItsLicence() throws IOException {
    for (String artifact : JARS) {
      for (String kind : List.of("", "-sources", "-javadoc")) {
        Path jar =
            published
                .artifact(artifact)
                .resolve(artifact + "-" + Published.VERSION + kind + ".jar");
        try (JarFile file = new JarFile(jar.toFile())) {
          for (String entry : List.of("META-INF/LICENSE", "META-INF/NOTICE")) {
            assertTrue(file.getEntry(entry) != null, jar + " lacks " + entry);
          }
          if (kind.isEmpty()) {
            String automatic = AUTOMATIC.get(artifact);
            assertEquals(
                automatic == null, file.getEntry("module-info.class") != null, jar + ": a module?");
            assertEquals(
                automatic,
                file.getManifest().getMainAttributes().getValue("Automatic-Module-Name"));
          } else {
            assertTrue(file.size() > 4, jar + " is empty");
          }
        }
      }
    }
  }

  @Test
  void aMavenProjectTellsAStoryOnTheClassPath() throws IOException {
    try (UserProject project = project("class path", "src/main/java/story/Story.java", "pom.xml")) {
      List<String> commands = USE.commands("On the class path");
      Command flagged = project.run(commands);
      assertEquals(STORY, firstSentence(flagged));
      assertFalse(flagged.err().contains("jdk.incubator.vector is not loaded"), flagged::err);

      // What a user sees who has not read about the flag.
      String flag = "--add-modules jdk.incubator.vector ";
      String command = commands.getLast();
      assertTrue(command.contains(flag), command);
      Command plain = project.run(List.of(command.replace(flag, "")));
      assertEquals(STORY, firstSentence(plain));
      for (String part : USE.file("warning").strip().split(" \\.\\.\\. ?|\\.\\.\\.")) {
        assertTrue(plain.err().contains(part), () -> part + " is not in\n" + plain.err());
      }
    }
  }

  @Test
  void aMavenProjectTellsAStoryOnTheModulePathAndLinked() throws IOException {
    try (UserProject project =
        project(
            "module path",
            "src/main/java/story/Story.java",
            "src/main/java/module-info.java",
            "pom.xml")) {
      assertEquals(STORY, firstSentence(project.run(USE.commands("On the module path"))));
      assertEquals(
          STORY, firstSentence(project.run(USE.commands("As an image that needs no Java"))));
    }
  }

  @Test
  void aGradleProjectTellsAStory() throws IOException {
    Path gradle = Gradle.onPath(PublishedIT.class);
    try (UserProject project =
        project(
            "gradle",
            "src/main/java/story/Story.java",
            "settings.gradle.kts",
            "build.gradle.kts")) {
      project.withGradle(gradle, published);
      assertEquals(STORY, firstSentence(project.run(USE.commands("Gradle"))));
    }
  }

  @Test
  void aSpringBootApplicationTellsAStoryFromItsBuildAndItsExecutableJar() throws IOException {
    try (UserProject project =
        project(
            SPRING,
            "spring boot",
            "src/main/java/story/StoryApplication.java",
            "src/main/resources/application.properties",
            "pom.xml")) {
      Command built = project.run(SPRING.commands("From the build"));
      assertTrue(built.out().contains(STORY), built::out);
      assertFalse(built.out().contains("provider vector ("), built::out);
      List<String> commands = SPRING.commands("As an executable JAR");
      Command plain = project.run(commands);
      assertTrue(plain.out().contains(STORY), plain::out);
      assertFalse(plain.err().contains("restricted method"), plain::err);
      Command vector =
          project.run(
              List.of(
                  "JDK_JAVA_OPTIONS='--add-modules jdk.incubator.vector' "
                      + commands.getLast()
                      + " --quern.provider=vector?,scalar"));
      assertTrue(vector.out().contains(STORY), vector::out);
      Command refused =
          project.run(List.of("! " + commands.getLast() + " --quern.provider=vector"));
      assertTrue(refused.out().contains("APPLICATION FAILED TO START"), refused::out);
      assertTrue(refused.out().contains("--add-modules jdk.incubator.vector"), refused::out);
      assertFalse(refused.out().contains("\tat "), refused::out);
    }
  }

  private static UserProject project(String name, String... files) throws IOException {
    return project(USE, name, files);
  }

  private static UserProject project(Page page, String name, String... files) throws IOException {
    if (File.separatorChar != '/') {
      throw LeftOut.ended(PublishedIT.class, "its commands are those of a POSIX shell");
    }
    UserProject project =
        UserProject.in(Files.createDirectories(folder.resolve(name)), page, published);
    project.write(files);
    return project;
  }

  private static String firstSentence(Command command) {
    return command.out().substring(0, Math.min(STORY.length(), command.out().length()));
  }

  private static Pom pom(String artifact) throws IOException {
    return Pom.of(
        published.artifact(artifact).resolve(artifact + "-" + Published.VERSION + ".pom"));
  }

  private static List<String> withRoot() {
    List<String> all = new ArrayList<>(JARS);
    all.addAll(List.of("quern", "quern-bom"));
    return all;
  }
}

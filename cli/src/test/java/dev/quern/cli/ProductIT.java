package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The packaged product in JVMs of its own, and providers compiled outside this build.
class ProductIT {
  private static final Path LIB = Path.of(System.getProperty("quern.lib"));

  /// A provider that takes SwiGLU and nothing else. Its kernel writes zeros, so it would be
  /// noticed.
  private static final String PROVIDER =
      """
      package org.example;
      import dev.quern.data.*; import dev.quern.op.*; import dev.quern.spi.*;
      public final class ExampleProvider implements KernelProvider, KernelSet {
        public String name() { return "example"; }
        public int priority() { return 1000; }
        public int specVersion() { return Spec.VERSION; }
        public Availability open(Platform p) { return new Availability.Ready(this, "an example"); }
        public Offer<SwiGluKernel> swiGlu(SwiGluSpec s) {
          return Offer.accepted(new SwiGluKernel() {
            public long scratchBytes(int rows, int parallelism) { return 0; }
            public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
              for (int r = 0; r < y.rows(); r++) for (int c = 0; c < y.columns(); c++) y.set(r, c, 0);
            }
          }, new Variant("zeros", 1, Numerics.EXACT_F32));
        }
      }
      """;

  private static final String MODULE_INFO =
      "module org.example { requires dev.quern.api;"
          + " provides dev.quern.spi.KernelProvider with org.example.ExampleProvider; }";

  private static final String SERVICE = "META-INF/services/dev.quern.spi.KernelProvider";

  @TempDir static Path folder;
  private static Path modularJar;
  private static Path plainJar;
  private static Path brokenJar;

  /// How a user may start Quern with a JAR of their own beside it.
  enum Start {
    MODULE_PATH,
    MODULE_PATH_AUTOMATIC,
    CLASS_PATH
  }

  @BeforeAll
  static void compileProviders() throws IOException {
    Path classes =
        compile("modular", "ExampleProvider.java", PROVIDER, "module-info.java", MODULE_INFO);
    modularJar = jar("example-modular.jar", classes);
    Path plain = compile("plain", "ExampleProvider.java", PROVIDER);
    service(plain, "org.example.ExampleProvider\n");
    plainJar = jar("example-plain.jar", plain);
    Path broken = Files.createDirectories(folder.resolve("broken"));
    service(broken, "org.example.Missing\n");
    brokenJar = jar("broken.jar", broken);
  }

  @ParameterizedTest
  @EnumSource(Start.class)
  void aJarThatIsAddedIsFoundSelectedAndReported(Start start) throws IOException {
    Child explain = start(start, List.of(), "explain");
    assertEquals(0, explain.code(), explain.err());
    Path jar = start == Start.MODULE_PATH ? modularJar : plainJar;
    assertTrue(explain.out().contains(jar.getFileName().toString()), explain.out());
    assertTrue(explain.out().contains("zeros"), explain.out());
    if (start == Start.CLASS_PATH) {
      // There no module asks for the incubator: one line says so, with the flag that would help.
      assertEquals(1, explain.err().lines().count(), explain.err());
      assertTrue(explain.err().contains("--add-modules jdk.incubator.vector"), explain.err());
    } else {
      assertEquals(Child.INCUBATOR_WARNING, explain.err().strip());
      assertTrue(explain.out().contains("-bit vectors"), explain.out());
    }

    Child run =
        start(
            start,
            List.of("-Dquern.provider=scalar"),
            "run",
            "--prompt",
            "Once upon a time",
            "--max-tokens",
            "5");
    assertEquals("Once upon a time, there was", run.out().substring(0, 27), run.err());
    assertFalse(run.err().contains("example"), run.err());
  }

  @ParameterizedTest
  @EnumSource(Start.class)
  void anAbsentProviderFailsWithTheWholeTable(Start start) throws IOException {
    Child child = start(start, List.of("-Dquern.provider=exampel,scalar"), "explain");
    assertEquals(1, child.code(), child.out());
    assertTrue(child.err().contains("did you mean"), child.err());
    assertTrue(child.err().contains("example"), child.err());
    assertTrue(child.err().contains("quern-provider-scalar"), child.err());
    assertFalse(child.err().contains("\tat "), child.err());
  }

  @ParameterizedTest
  @ValueSource(strings = {"example", "example,example", "auto,scalar", "scalar,,example"})
  void whatCanNotBeKeptIsRefused(String list) throws IOException {
    // `example` takes SwiGLU only, so alone it can't run a model; the others are malformed.
    Child child = start(Start.CLASS_PATH, List.of("-Dquern.provider=" + list), "explain");
    assertEquals(1, child.code(), child.out());
    assertTrue(child.err().contains("quern.provider"), child.err());
  }

  @Test
  void aBrokenServiceEntryDoesNotHideTheOthers() throws IOException {
    Child child =
        java(
            List.of("-cp", classPath(brokenJar) + File.pathSeparator + plainJar),
            "dev.quern.cli.Main",
            "explain");
    assertEquals(0, child.code(), child.err());
    assertTrue(child.out().contains("broken.jar"), child.out());
    assertTrue(child.out().contains("org.example.Missing"), child.out());
    assertTrue(child.out().contains("zeros"), child.out());
    assertTrue(child.err().contains("broken.jar"), "a warning names the JAR: " + child.err());
  }

  @Test
  void providerModulesExportNothing() {
    for (String name : new String[] {"scalar", "vector", "kleidi", "x86"}) {
      ModuleDescriptor module =
          ModuleFinder.of(LIB).find("dev.quern.provider." + name).orElseThrow().descriptor();
      assertTrue(module.exports().isEmpty(), module.exports().toString());
      assertTrue(module.opens().isEmpty(), module.opens().toString());
    }
  }

  @Test
  void theLauncherPassesPropertiesAndWordsThrough() throws IOException {
    Path home = LauncherHome.in(Files.createTempDirectory(folder, "launcher"));
    Child child =
        Child.run(
            home,
            List.of(
                home.resolve("quern").toString(),
                "-Dquern.provider=scalar",
                "-Dquern.log=info",
                "run",
                "--prompt",
                "-Dquern.provider=x  -m",
                "--max-tokens",
                "0"));
    assertEquals(0, child.code(), child.err());
    assertEquals("-Dquern.provider=x  -m", child.out(), "text, and no option");
    assertTrue(child.err().contains("info: "), child.err());

    Child refused =
        Child.run(home, List.of(home.resolve("quern").toString(), "-Dquern.provider=x", "explain"));
    assertEquals(1, refused.code(), refused.out());
  }

  @Test
  void theLauncherPassesOverAnOldJava() throws IOException {
    Path home = LauncherHome.in(Files.createTempDirectory(folder, "launcher"));
    Path old = Files.createDirectories(folder.resolve("old jdk/bin")).getParent();
    Files.writeString(old.resolve("release"), "JAVA_VERSION=\"17.0.15\"\n");
    Path java = Files.writeString(old.resolve("bin/java"), "#!/bin/sh\nexit 17\n");
    assertTrue(java.toFile().setExecutable(true));
    Child child =
        Child.run(
            home,
            List.of("env", "JAVA_HOME=" + old, home.resolve("quern").toString(), "--version"));
    // This build runs on a JDK 25 or newer, but it need not lie where the launcher looks.
    if (child.code() == 0) {
      assertTrue(child.out().startsWith("quern "), child.out());
    } else {
      assertTrue(child.err().contains("no JDK 25 or newer found"), child.err());
      assertTrue(child.err().contains("old jdk (Java 17)"), child.err());
    }
  }

  private Child start(Start start, List<String> jvm, String... args) throws IOException {
    List<String> options = new ArrayList<>(jvm);
    switch (start) {
      case MODULE_PATH -> options.addAll(List.of("-p", LIB + File.pathSeparator + modularJar));
      case MODULE_PATH_AUTOMATIC ->
          options.addAll(List.of("-p", LIB + File.pathSeparator + plainJar));
      case CLASS_PATH -> options.addAll(List.of("-cp", classPath(plainJar)));
    }
    boolean modules = start != Start.CLASS_PATH;
    options.add(modules ? Child.NATIVE_ACCESS : "--enable-native-access=ALL-UNNAMED");
    List<String> main =
        modules ? List.of("-m", "dev.quern.cli/dev.quern.cli.Main") : List.of("dev.quern.cli.Main");
    return java(Stream.concat(options.stream(), main.stream()).toList(), args);
  }

  private Child java(List<String> options, String... args) throws IOException {
    List<String> command = new ArrayList<>(List.of(Child.JAVA));
    command.addAll(options);
    command.addAll(List.of(args));
    return Child.run(folder, command);
  }

  private static String classPath(Path jar) {
    return LIB + File.separator + "*" + File.pathSeparator + jar;
  }

  private static Path compile(String name, String... namesAndSources) throws IOException {
    Path sources = Files.createDirectories(folder.resolve(name + "-src"));
    Path classes = Files.createDirectories(folder.resolve(name));
    List<String> command = new ArrayList<>(List.of("-p", LIB.toString(), "-d", classes.toString()));
    if (namesAndSources.length == 2) {
      command.addAll(List.of("-cp", LIB.resolve(apiJar()).toString()));
    }
    for (int i = 0; i < namesAndSources.length; i += 2) {
      Path source = sources.resolve(namesAndSources[i]);
      Files.writeString(source, namesAndSources[i + 1]);
      command.add(source.toString());
    }
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(System.out, System.err, command.toArray(String[]::new));
    assertEquals(0, code, "javac " + command);
    return classes;
  }

  private static String apiJar() throws IOException {
    try (Stream<Path> jars = Files.list(LIB)) {
      return jars.map(p -> p.getFileName().toString())
          .filter(n -> n.startsWith("quern-api-"))
          .findFirst()
          .orElseThrow();
    }
  }

  private static void service(Path classes, String content) throws IOException {
    Path file = classes.resolve(SERVICE);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content, StandardOpenOption.CREATE);
  }

  private static Path jar(String name, Path classes) throws IOException {
    Path jar = folder.resolve(name);
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        out.putNextEntry(
            new JarEntry(classes.relativize(file).toString().replace(File.separatorChar, '/')));
        Files.copy(file, out);
        out.closeEntry();
      }
    }
    return jar;
  }
}

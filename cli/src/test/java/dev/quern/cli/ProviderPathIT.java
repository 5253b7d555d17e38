package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ModuleDesc;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `QUERN_PROVIDER_PATH`: what is wrong with it is said in one line, also where it stops the JVM.
class ProviderPathIT {
  @TempDir static Path folder;
  private static final String SERVICE = "META-INF/services/dev.quern.spi.KernelProvider";
  private static StubbedLauncher launcher;

  @BeforeAll
  static void make() throws IOException {
    launcher = StubbedLauncher.in(folder);
    makeJars();
  }

  @BeforeEach
  void noCache() throws IOException {
    launcher.forgetTheCache();
  }

  @Test
  void theOldNameIsRefusedWithTheNewOne() throws IOException {
    Child child = launcher.sh("QUERN_PROVIDERS=/a/mine.jar \"$Q\" explain");
    assertEquals(1, child.code(), child.out());
    assertEquals(1, child.err().lines().count(), child.err());
    assertTrue(child.err().contains("QUERN_PROVIDER_PATH='/a/mine.jar'"), child.err());
    assertEquals(0, launcher.sh("QUERN_PROVIDERS= \"$Q\" explain").code());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          :                                              | /nowhere/mine.jar | no such file or folder
          mkdir -p empty                                 | empty             | no JAR in this folder
          echo text > notes.txt                          | notes.txt         | expected a JAR
          test -p fifo.jar -o -e fifo.jar; mkfifo fifo.jar | fifo.jar        | not a regular file
          ln -sf /nowhere gone.jar         | gone.jar          | no such file or folder
          mkdir -p links; ln -sf /nowhere links/a.jar      | links             | links/a.jar: a link to nothing
          """)
  void anEntryThatIsNoProviderIsRefused(String before, String entry, String message)
      throws IOException {
    Child child = launcher.sh(before + "; QUERN_PROVIDER_PATH=" + entry + " \"$Q\" explain");
    assertEquals(1, child.code(), child.out());
    assertEquals(1, child.err().lines().count(), child.err());
    assertTrue(child.err().contains("QUERN_PROVIDER_PATH: " + entry), child.err());
    assertTrue(child.err().contains(message), child.err());
    assertEquals("", child.out(), "the JVM was not started");
  }

  @Test
  void whatCanNotBeReadIsRefused() throws IOException {
    Path jar = folder.resolve("secret/a.jar");
    Files.copy(
        folder.resolve("mine.jar"), Files.createDirectories(jar.getParent()).resolve("a.jar"));
    assertTrue(jar.toFile().setReadable(false, false));
    if (Files.isReadable(jar)) {
      System.out.println(
          "ProviderPathIT: unreadable JARs not tested: this user may read everything");
      return;
    }
    for (String path : List.of("secret", "secret/a.jar")) {
      Child child = launcher.sh("QUERN_PROVIDER_PATH=" + path + " \"$Q\" explain");
      assertEquals(1, child.code(), child.out());
      assertTrue(child.err().contains("secret/a.jar: can't be read: no permission"), child.err());
    }
  }

  /// JARs that stop the JVM before Quern runs, and good ones.
  private static void makeJars() throws IOException {
    Path lib = Path.of(System.getProperty("quern.lib"));
    Path good = SwiGluJar.named("mine").modular(lib).build(folder);
    Files.createDirectories(folder.resolve("twice"));
    Files.copy(good, folder.resolve("twice/one.jar"));
    Files.copy(good, folder.resolve("twice/two.jar"));
    byte[] bytes = Files.readAllBytes(good);
    Files.write(folder.resolve("cut.jar"), Arrays.copyOf(bytes, bytes.length / 2));
    Files.write(folder.resolve("empty.jar"), new byte[0]);
    Path plain = SwiGluJar.named("plain").build(folder);
    Files.copy(plain, folder.resolve("new-1.0.jar"));
    Path split = Files.createDirectories(folder.resolve("split-classes"));
    entry(
        split,
        "mine/Provider.class",
        Files.readAllBytes(folder.resolve("mine-classes/mine/Provider.class")));
    entry(split, SERVICE, "mine.Provider\n".getBytes(StandardCharsets.UTF_8));
    SwiGluJar.jar(folder.resolve("split.jar"), split);
    Path service = Files.createDirectories(folder.resolve("service-classes"));
    entry(service, SERVICE, "absent.Provider\n".getBytes(StandardCharsets.UTF_8));
    SwiGluJar.jar(folder.resolve("service.jar"), service);
    byte[] module = Files.readAllBytes(folder.resolve("mine-classes/module-info.class"));
    module("half", Arrays.copyOf(module, module.length / 2));
    byte[] newer = module.clone();
    newer[7] = 99; // the class file's major version
    module("newer", newer);
    module(
        "needs",
        ClassFile.of()
            .buildModule(
                ModuleAttribute.of(
                    ModuleDesc.of("needs"),
                    m ->
                        m.requires(ModuleDesc.of("java.base"), ClassFile.ACC_MANDATED, null)
                            .requires(ModuleDesc.of("org.absent"), 0, null)
                            .requires(ModuleDesc.of("dev.quern.api"), 0, null)
                            .provides(
                                ClassDesc.of("dev.quern.spi.KernelProvider"),
                                ClassDesc.of("needs.Provider")))));
    try (Stream<Path> jars = Files.list(lib)) {
      Path own =
          jars.filter(j -> j.toString().contains("quern-provider-scalar"))
              .findFirst()
              .orElseThrow();
      Files.copy(own, Files.createDirectories(folder.resolve("own")).resolve("other-build.jar"));
    }
  }

  /// A JAR of a module descriptor and the class `NAME.Provider`.
  private static void module(String name, byte[] descriptor) throws IOException {
    Path classes = Files.createDirectories(folder.resolve(name + "-classes"));
    entry(classes, "module-info.class", descriptor);
    entry(
        classes,
        name + "/Provider.class",
        ClassFile.of().build(ClassDesc.of(name + ".Provider"), c -> {}));
    SwiGluJar.jar(folder.resolve(name + ".jar"), classes);
  }

  private static void entry(Path classes, String name, byte[] bytes) throws IOException {
    Path file = classes.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          twice              | one.jar and two.jar  | keep one of them
          cut.jar            | cut.jar              | copy it again
          empty.jar          | empty.jar            | copy it again
          service.jar        | service.jar          | META-INF/services names a class that the JAR lacks
          new-1.0.jar        | new-1.0.jar          | rename the file
          half.jar           | half.jar             | copy it again
          newer.jar          | newer.jar            | set JAVA_HOME to that one
          needs.jar          | needs is FOLDER/needs.jar | add its JAR
          mine.jar:split.jar | split is FOLDER/split.jar | in one module only
          mine.jar:split.jar | mine is FOLDER/mine.jar   | in one module only
          own                | own/other-build.jar  | Quern's own
          """)
  void whatStopsTheJvmIsSaidInOneLine(String path, String jar, String remedy) throws IOException {
    Child child = launcher.sh("QUERN_PROVIDER_PATH=\"$1\" REAL=1 \"$Q\" explain", path);
    assertEquals(1, child.code(), child.out());
    assertEquals(1, child.err().lines().count(), child.err());
    assertTrue(child.err().startsWith("quern: QUERN_PROVIDER_PATH: "), child.err());
    assertTrue(child.err().contains(jar.replace("FOLDER", folder.toString())), child.err());
    assertTrue(child.err().contains(remedy), child.err());
  }

  @Test
  void aGoodOneRunsAndIsTriedOnce() throws IOException {
    for (String path :
        List.of("mine.jar", ":mine.jar::", folder.resolve("mine.jar").toString(), "mine-classes")) {
      Child child = launcher.sh("QUERN_PROVIDER_PATH=\"$1\" REAL=1 \"$Q\" explain", path);
      assertEquals(0, child.code(), child.err());
      assertTrue(child.out().contains("mine"), child.out());
      assertEquals(Child.INCUBATOR_WARNING, child.err().strip());
    }
    String script = "QUERN_PROVIDER_PATH=mine.jar sh -x \"$Q\" x";
    assertTrue(launcher.sh(script).err().contains("--dry-run"));
    assertFalse(launcher.sh(script).err().contains("--dry-run"), "the same files, tried before");
    Files.setLastModifiedTime(folder.resolve("mine.jar"), FileTime.fromMillis(0));
    assertTrue(launcher.sh(script).err().contains("--dry-run"), "another file");
  }
}

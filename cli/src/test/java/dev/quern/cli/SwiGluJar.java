package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/// A JAR with a provider that runs SwiGLU alone, compiled outside the build as other people's are.
///
/// @param name the provider's name; its package, and its module if it is modular
/// @param factor what the right result is multiplied by
/// @param offer what it offers
/// @param availability what it says of every platform
/// @param support its declaration; null if it has none
/// @param modulePath where the module `dev.quern.api` lies; null for a JAR of the class path
public record SwiGluJar(
    String name,
    String factor,
    String offer,
    String availability,
    String support,
    Path modulePath) {

  private static final String SOURCE =
      """
      package %1$s;
      import dev.quern.data.*;
      import dev.quern.op.*;
      import dev.quern.spi.*;
      public class Provider implements KernelProvider, KernelSet {
        public String name() { return "%1$s"; }
        public int priority() { return 17; }
        public int specVersion() { return Spec.VERSION; }
        public Availability open(Platform p) { return %2$s; }
        public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) { return %3$s; }
        record Kernel() implements SwiGluKernel {
          public long scratchBytes(int rows, int parallelism) { return 0; }
          public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
            w.workers().run(gate.rows(), (r, worker) -> {
              for (int c = 0; c < gate.columns(); c++) {
                double g = gate.get(r, c);
                y.set(r, c, (float) (g / (1 + Math.exp(-g)) * up.get(r, c)) * %4$s);
              }
            });
          }
        }
      }
      """;

  public static SwiGluJar named(String name) {
    return new SwiGluJar(
        name,
        "1",
        "spec.activation() != Activation.SILU ? Offer.declined(\"SiLU only\") : Offer.accepted(new Kernel(), new Variant(\"plain\", 1, Numerics.EXACT_F32))",
        "new Availability.Ready(this, \"here\")",
        "# one operator\nswiglu\n",
        null);
  }

  public SwiGluJar factor(String newFactor) {
    return new SwiGluJar(name, newFactor, offer, availability, support, modulePath);
  }

  public SwiGluJar declining() {
    return new SwiGluJar(
        name, factor, "Offer.declined(\"too tired\")", availability, support, modulePath);
  }

  public SwiGluJar unavailable(String reason, String remedy) {
    String answer =
        String.format(Locale.ROOT, "new Availability.Unavailable(\"%s\", \"%s\")", reason, remedy);
    return new SwiGluJar(name, factor, offer, answer, support, modulePath);
  }

  public SwiGluJar support(String newSupport) {
    return new SwiGluJar(name, factor, offer, availability, newSupport, modulePath);
  }

  public SwiGluJar modular(Path lib) {
    return new SwiGluJar(name, factor, offer, availability, support, lib);
  }

  /// Compiles it: `NAME.jar`.
  public Path build(Path folder) throws IOException {
    Path sources = Files.createDirectories(folder.resolve(name + "-src"));
    Path classes = Files.createDirectories(folder.resolve(name + "-classes"));
    List<String> javac =
        new ArrayList<>(
            List.of(
                "-d",
                classes.toString(),
                Files.writeString(
                        sources.resolve("Provider.java"),
                        String.format(Locale.ROOT, SOURCE, name, availability, offer, factor))
                    .toString()));
    if (modulePath == null) {
      javac.addAll(List.of("-cp", System.getProperty("java.class.path"), "-proc:none"));
      write(classes, "META-INF/services/dev.quern.spi.KernelProvider", name + ".Provider\n");
    } else {
      javac.addAll(List.of("-p", modulePath.toString()));
      javac.add(
          Files.writeString(
                  sources.resolve("module-info.java"),
                  String.format(
                      Locale.ROOT,
                      "module %1$s { requires dev.quern.api; provides dev.quern.spi.KernelProvider with %1$s.Provider; }",
                      name))
              .toString());
    }
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(System.out, System.err, javac.toArray(String[]::new));
    assertEquals(0, code, "javac " + javac);
    if (support != null) {
      write(classes, String.format(Locale.ROOT, "META-INF/quern/%s.support", name), support);
    }
    return jar(folder.resolve(name + ".jar"), classes);
  }

  private static void write(Path classes, String entry, String text) throws IOException {
    Path file = classes.resolve(entry);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  /// Puts a folder into a JAR.
  public static Path jar(Path jar, Path classes) throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        out.putNextEntry(new JarEntry(classes.relativize(file).toString().replace('\\', '/')));
        Files.copy(file, out);
        out.closeEntry();
      }
    }
    return jar;
  }
}

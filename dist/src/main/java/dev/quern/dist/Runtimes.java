package dev.quern.dist;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Links the Java runtime of an archive that needs no Java: `Runtimes PLATFORM TO PATHS`, from the
/// JDK that runs this, with the modules of the JDK that the module paths in the folder PATHS ask
/// for. Nothing of Quern is in it, so that the launcher and its paths are those of the other
/// archives.
public final class Runtimes {
  /// What no module asks for by name: charts, whose libraries are automatic modules; zip file
  /// systems; what `jcmd` and JFR of a JDK elsewhere talk to.
  private static final Set<String> MORE =
      Set.of("java.desktop", "jdk.zipfs", "jdk.jfr", "jdk.management", "jdk.incubator.vector");

  private Runtimes() {}

  public static void main(String[] args) throws IOException {
    String platform = platform();
    if (!args[0].equals(platform)) {
      throw new IOException(
          "quern.platform="
              + args[0]
              + ", expected "
              + platform
              + ": an archive with a runtime is made on a machine of its own kind");
    }
    Path to = Path.of(args[1]);
    delete(to);
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(() -> new IOException(System.getProperty("java.home") + ": has no jlink"));
    String modules = String.join(",", modules(Path.of(args[2])));
    PrintWriter log = new PrintWriter(System.err, true);
    int code =
        jlink.run(
            log,
            log,
            "--add-modules",
            modules,
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--generate-cds-archive", // or starts are slower, and `quern warm` has nothing to build
            // on
            "--release-info", // where this JDK comes from, and where its sources are
            Path.of(System.getProperty("java.home"), "release").toString(),
            "--output",
            to.toString());
    if (code != 0) {
      throw new IOException("jlink of " + modules + " ends with code " + code);
    }
  }

  /// As `release/platform.sh` has it.
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    return (os.startsWith("mac") ? "macos" : os) + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }

  private static Set<String> modules(Path paths) throws IOException {
    List<Path> folders;
    try (Stream<Path> all = Files.list(paths)) {
      folders = all.filter(Files::isDirectory).sorted().toList();
    }
    ModuleFinder ours = ModuleFinder.of(folders.toArray(Path[]::new));
    Set<String> roots =
        ours.findAll().stream()
            .map(ModuleReference::descriptor)
            .map(d -> d.name())
            .collect(Collectors.toSet());
    if (!roots.contains("dev.quern.cli")) {
      throw new IOException(paths + ": expected the command line's module paths");
    }
    // Without services: they would ask for most of the JDK.
    Configuration configuration =
        Configuration.resolve(
            ours, List.of(ModuleLayer.boot().configuration()), ModuleFinder.ofSystem(), roots);
    Set<String> system = new TreeSet<>(MORE);
    configuration.modules().stream()
        .filter(m -> !m.reference().descriptor().isAutomatic()) // such a one reads every module
        .flatMap(m -> m.reads().stream())
        .map(m -> m.name())
        .filter(name -> ModuleFinder.ofSystem().find(name).isPresent())
        .forEach(system::add);
    return system;
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      List<Path> files;
      try (Stream<Path> walk = Files.walk(folder)) {
        files = walk.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }
}

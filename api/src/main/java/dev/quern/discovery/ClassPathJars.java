package dev.quern.discovery;

import dev.quern.spi.KernelProvider;
import dev.quern.text.Failures;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.InvalidModuleDescriptorException;
import java.lang.module.ModuleDescriptor;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// JARs on the class path that may hold providers and that no class loader speaks of: it passes
/// over one that it can't read, as after a download that was cut, and a module's own `provides` has
/// no effect there.
public final class ClassPathJars {
  private ClassPathJars() {}

  /// An entry for each such JAR that a class loader and its parents look into. They have opened
  /// these JARs themselves, and the JDK keeps their directories, so this costs little.
  public static List<Unusable> of(ClassLoader loader) {
    Set<Path> jars = new LinkedHashSet<>();
    for (ClassLoader l = loader; l != null; l = l.getParent()) {
      if (l instanceof URLClassLoader urls) {
        for (URL url : urls.getURLs()) {
          add(jars, Locations.forPeople(Locations.plain(url.toString())));
        }
      } else if (l == ClassLoader.getSystemClassLoader()) {
        String path = System.getProperty("java.class.path", "");
        Arrays.stream(path.split(File.pathSeparator)).forEach(element -> add(jars, element));
      }
    }
    List<Unusable> entries = new ArrayList<>();
    jars.forEach(jar -> look(jar).ifPresent(entries::add));
    return entries;
  }

  private static void add(Set<Path> jars, String element) {
    if (element.endsWith(".jar") && !element.contains(":/")) {
      jars.add(Path.of(element).toAbsolutePath().normalize());
    }
  }

  private static Optional<Unusable> look(Path jar) {
    if (!Files.isRegularFile(jar)) {
      return Optional.empty(); // a path may name what is not there, as every JVM allows
    }
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry module = zip.getEntry("module-info.class");
      if (module == null || zip.getEntry(ServiceFiles.RESOURCE) != null) {
        return Optional.empty();
      }
      try (InputStream in = zip.getInputStream(module)) {
        return ModuleDescriptor.read(in).provides().stream()
            .filter(p -> p.service().equals(KernelProvider.class.getName()))
            .flatMap(p -> p.providers().stream())
            .findFirst()
            .map(type ->
                entry(
                    jar,
                    type,
                    String.format(
                        Locale.ROOT,
                        "it is on the class path, and only its module-info says that it is a provider: %s is missing",
                        ServiceFiles.RESOURCE),
                    "put it on the module path, or get a JAR with that file"));
      }
    } catch (IOException | InvalidModuleDescriptorException e) {
      return Optional.of(
          entry(
              jar,
              Unusable.UNKNOWN,
              "it is on the class path and can't be read, so the JVM passes over it: "
                  + Failures.text(e),
              "replace or remove it"));
    }
  }

  private static Unusable entry(Path jar, String type, String reason, String remedy) {
    return Unusable.broken(type, Locations.plain(jar.toUri().toString()), reason, remedy);
  }
}

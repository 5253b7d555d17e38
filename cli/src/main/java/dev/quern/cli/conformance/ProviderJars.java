package dev.quern.cli.conformance;

import dev.quern.cli.console.UserException;
import dev.quern.spi.KernelProvider;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.Configuration;
import java.lang.module.FindException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.module.ResolutionException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.stream.Collectors;

/// Makes provider JARs visible that are given by path: modular ones as a module layer above the
/// running modules, all others as a class path. If Quern itself runs from the class path,
/// everything does.
final class ProviderJars {
  private ProviderJars() {}

  /// A class loader that sees the JARs, and what the parent sees.
  ///
  /// @throws UserException if a JAR is missing or can't be read, or needs a module that is missing
  static ClassLoader loader(List<Path> jars, ClassLoader parent) {
    List<Path> modular = new ArrayList<>();
    List<URL> plain = new ArrayList<>();
    boolean modules = KernelProvider.class.getModule().isNamed();
    for (Path jar : jars) {
      if (!Files.isReadable(jar)) {
        throw new UserException(
            String.format(Locale.ROOT, "--jar: %s is missing, or can't be read", jar), null);
      }
      if (modules && descriptor(jar).isPresent()) {
        modular.add(jar);
      } else {
        plain.add(url(jar));
      }
    }
    ClassLoader below =
        plain.isEmpty() ? parent : new URLClassLoader(plain.toArray(URL[]::new), parent);
    return modular.isEmpty() ? below : layer(modular, below);
  }

  private static Optional<String> descriptor(Path jar) {
    if (Files.isDirectory(jar)) {
      return Files.exists(jar.resolve("module-info.class"))
          ? Optional.of("module-info.class")
          : Optional.empty();
    }
    try (JarFile file = new JarFile(jar.toFile(), false, JarFile.OPEN_READ, Runtime.version())) {
      return Optional.ofNullable(file.getJarEntry("module-info.class")).map(e -> e.getName());
    } catch (IOException e) {
      throw new UserException(
          String.format(Locale.ROOT, "--jar: %s can't be read: %s", jar, e.getMessage()), e);
    }
  }

  private static ClassLoader layer(List<Path> jars, ClassLoader parent) {
    ModuleFinder finder = ModuleFinder.of(jars.toArray(Path[]::new));
    ModuleLayer boot = ModuleLayer.boot();
    try {
      Set<String> names =
          finder.findAll().stream()
              .map(ModuleReference::descriptor)
              .map(d -> d.name())
              .collect(Collectors.toSet());
      Configuration configuration =
          boot.configuration().resolveAndBind(finder, ModuleFinder.of(), names);
      ModuleLayer layer = boot.defineModulesWithOneLoader(configuration, parent);
      return layer.findLoader(names.iterator().next());
    } catch (FindException | ResolutionException e) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "--jar: %s. If the running JVM has that module but did not need it, start with QUERN_PROVIDER_PATH=%s",
              e.getMessage(),
              jars.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator))),
          e);
    }
  }

  private static URL url(Path jar) {
    try {
      return jar.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new UncheckedIOException(e); // every path has a URL
    }
  }
}

package dev.quern.discovery;

import dev.quern.spi.KernelProvider;
import dev.quern.text.Failures;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.FindException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.module.ResolvedModule;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Providers on the module path that the JVM left out, because of `--limit-modules` or because the
/// application runs from the class path, or because another JAR with a module of that name comes
/// first: they vanish without a word. (The value of `--limit-modules` itself is not visible at run
/// time.)
public final class UnresolvedModules {
  private UnresolvedModules() {}

  /// An entry for each module on the path that provides kernels and is not what the JVM resolved.
  ///
  /// JARs whose module is resolved are not opened again, so this costs a listing of folders.
  ///
  /// @param modulePath the system property `jdk.module.path`, empty where there is none
  public static List<Unusable> on(String modulePath) {
    if (modulePath.isEmpty()) {
      return List.of();
    }
    Set<URI> resolved =
        ModuleLayer.boot().configuration().modules().stream()
            .map(ResolvedModule::reference)
            .map(ModuleReference::location)
            .flatMap(Optional::stream)
            .map(UnresolvedModules::real)
            .collect(Collectors.toSet());
    List<Unusable> entries = new ArrayList<>();
    for (String element : modulePath.split(File.pathSeparator)) {
      for (Path candidate : modulesIn(Path.of(element.isEmpty() ? "." : element))) {
        if (!resolved.contains(real(candidate.toUri()))) {
          entries.addAll(providersIn(candidate));
        }
      }
    }
    return entries;
  }

  /// A JAR, an exploded module, or the children of a folder of modules.
  private static List<Path> modulesIn(Path element) {
    if (!Files.isDirectory(element) || Files.exists(element.resolve("module-info.class"))) {
      return Files.exists(element) ? List.of(element) : List.of();
    }
    try (Stream<Path> children = Files.list(element)) {
      return children
          .filter(
              p -> p.toString().endsWith(".jar") || Files.exists(p.resolve("module-info.class")))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("module path: can't list " + element, e);
    }
  }

  private static List<Unusable> providersIn(Path path) {
    String location = Locations.plain(path.toUri().toString());
    try {
      return ModuleFinder.of(path).findAll().stream()
          .map(ModuleReference::descriptor)
          .flatMap(module ->
              module.provides().stream()
                  .filter(p -> p.service().equals(KernelProvider.class.getName()))
                  .flatMap(p -> p.providers().stream())
                  .map(name -> left(module.name(), name, location)))
          .toList();
    } catch (FindException e) {
      return List.of(
          Unusable.broken(
              Unusable.UNKNOWN,
              location,
              "it is on the module path and can't be read as a module: " + Failures.text(e),
              "replace or remove it"));
    }
  }

  /// A provider of a module that the JVM did not take.
  private static Unusable left(String module, String className, String location) {
    Optional<String> taken =
        ModuleLayer.boot()
            .configuration()
            .findModule(module)
            .flatMap(m -> m.reference().location())
            .map(uri -> Locations.forPeople(Locations.plain(uri.toString())));
    if (taken.isPresent()) {
      return Unusable.broken(
          className,
          location,
          String.format(
              Locale.ROOT,
              "module %s is on the module path twice, and the JVM took %s",
              module,
              taken.get()),
          "leave one of these JARs");
    }
    return new Unusable(
        className,
        location,
        false,
        "module " + module + " is on the module path, but this JVM did not resolve it",
        // A provider has to meet the quern-api that runs, and that may be on the class path.
        KernelProvider.class.getModule().isNamed()
            ? "add --add-modules " + module
            : "move the JAR to the class path, where quern-api is");
  }

  /// Paths on the module path may be relative or lead over links; a JAR may have been replaced by a
  /// build since this JVM opened it.
  private static URI real(URI location) {
    if (!"file".equals(location.getScheme())) {
      return location;
    }
    Path path = Path.of(location);
    if (!Files.exists(path)) {
      return path.toAbsolutePath().normalize().toUri();
    }
    try {
      return path.toRealPath().toUri();
    } catch (IOException e) {
      throw new UncheckedIOException("module path: can't resolve " + location, e);
    }
  }
}

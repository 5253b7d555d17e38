package dev.quern.discovery;

import dev.quern.discovery.ServiceFiles.ServiceFile;
import dev.quern.spi.KernelProvider;
import dev.quern.text.Failures;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.Spliterator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/// One pass over the service declarations of the module path and the class path: the providers that
/// can be made, and an entry for each that can't. A broken one never hides the others.
public final class ServiceScan {
  /// ServiceLoader skips a broken declaration with an error each, but where it can't even list the
  /// declarations it fails for ever, in the same words.
  private static final int SAME_FAILURES_IN_A_ROW = 100;

  /// A provider that was made.
  ///
  /// @param className its class
  /// @param location where that comes from
  public record Found(KernelProvider provider, String className, String location) {}

  private final ClassLoader loader;
  private final List<Found> found = new ArrayList<>();
  private final Set<Unusable> broken = new LinkedHashSet<>();
  private final Set<String> listed = new HashSet<>();
  private final List<Throwable> failures = new ArrayList<>();

  public ServiceScan(ClassLoader loader, Guard guard) {
    this.loader = loader;
    List<ServiceLoader.Provider<KernelProvider>> handles = handles();
    List<Guard.Outcome<KernelProvider>> made =
        guard.ask(
            handles.stream()
                .<Callable<KernelProvider>>map(h -> (Callable<KernelProvider>) h::get)
                .toList());
    for (int i = 0; i < handles.size(); i++) {
      take(handles.get(i).type(), made.get(i));
    }
    blame();
  }

  public List<Found> found() {
    return List.copyOf(found);
  }

  public List<Unusable> broken() {
    return List.copyOf(broken);
  }

  private List<ServiceLoader.Provider<KernelProvider>> handles() {
    List<ServiceLoader.Provider<KernelProvider>> handles = new ArrayList<>();
    // A spliterator, since it goes on after an error; a stream's own loop ends there.
    Spliterator<ServiceLoader.Provider<KernelProvider>> declared =
        ServiceLoader.load(KernelProvider.class, loader).stream().spliterator();
    String last = "";
    int inARow = 0;
    boolean more = true;
    while (more && inARow < SAME_FAILURES_IN_A_ROW) {
      try {
        more = declared.tryAdvance(handles::add);
      } catch (Throwable e) { // of a class loader or of a broken class: a verdict, see blame()
        failures.add(e);
        String text = Failures.text(e);
        inARow = last.equals(text) ? inARow + 1 : 1;
        last = text;
      }
    }
    return handles;
  }

  private void take(Class<?> declared, Guard.Outcome<KernelProvider> made) {
    listed.add(declared.getName());
    if (made.thrown() == null) {
      Class<?> type = made.value().getClass();
      listed.add(type.getName());
      found.add(new Found(made.value(), type.getName(), Locations.of(type)));
      return;
    }
    Throwable thrown = made.thrown();
    Throwable cause =
        thrown instanceof ServiceConfigurationError && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    reject(
        declared.getName(),
        Locations.of(declared),
        "it can't be constructed: " + Failures.text(cause),
        Failures.remedy(cause));
  }

  /// Finds out which JAR each failure comes from.
  private void blame() {
    List<ServiceFile> files;
    try {
      files = ServiceFiles.visibleTo(loader);
    } catch (IOException e) {
      reject(
          Unusable.UNKNOWN,
          Locations.UNKNOWN,
          "the class loader can't list " + ServiceFiles.RESOURCE + ": " + e,
          "repair the class path");
      return;
    }
    for (ServiceFile file : files) {
      if (!file.problem().isEmpty()) {
        reject(
            Unusable.UNKNOWN,
            file.location(),
            file.problem() + ", so no provider of this file is loaded",
            "list one class name a line in that file, or remove the JAR");
      }
      for (String className : file.classNames()) {
        if (!listed.contains(className)) {
          diagnose(className, file.location());
        }
      }
    }
    failures.stream().filter(f -> !explained(f)).forEach(this::rejectByMessage);
  }

  /// A class that a service file lists and ServiceLoader did not deliver.
  private void diagnose(String className, String location) {
    try {
      Class<?> type = Class.forName(className, false, loader);
      if (type.getModule().isNamed() && declares(type.getModule(), className)) {
        return; // The module's own declaration counts, and has its own failure.
      }
      if (type.getModule().isNamed()) {
        reject(
            className,
            location,
            String.format(
                Locale.ROOT,
                "module %s does not say `provides %s with %s`, so its service file has no effect",
                type.getModule().getName(),
                KernelProvider.class.getName(),
                className),
            "add that line to its module-info, or put the JAR on the class path");
      } else if (!KernelProvider.class.isAssignableFrom(type)) {
        reject(className, location, "it is not a KernelProvider" + twin(type), twinRemedy(type));
      } else {
        reject(
            className,
            location,
            "it can't be constructed: "
                + failures.stream()
                    .map(Failures::text)
                    .filter(text -> text.contains(className))
                    .findFirst()
                    .orElse("ServiceLoader passes over it"),
            "make it a public class with a public constructor without parameters");
      }
    } catch (ClassNotFoundException _) {
      reject(
          className,
          location,
          "its service file lists a class that is not on the path",
          "remove the JAR, or get a complete one");
    } catch (Throwable e) { // whatever a class loader or a broken class throws
      reject(
          className,
          location,
          "its class can't be loaded: " + Failures.text(e),
          Failures.remedy(e));
    }
  }

  private static boolean declares(Module module, String className) {
    return module.getDescriptor().provides().stream()
        .anyMatch(p ->
            p.service().equals(KernelProvider.class.getName())
                && p.providers().contains(className));
  }

  /// Two copies of quern-api on the path: the class implements an interface of the right name that
  /// is another one.
  private static String twin(Class<?> type) {
    return interfaces(type)
        .filter(i -> i.getName().equals(KernelProvider.class.getName()))
        .findFirst()
        .map(i ->
            String.format(
                Locale.ROOT,
                " of this quern-api (%s), but of another (%s)",
                Locations.forPeople(Locations.of(KernelProvider.class)),
                Locations.forPeople(Locations.of(i))))
        .orElse("");
  }

  private static String twinRemedy(Class<?> type) {
    return twin(type).isEmpty()
        ? "correct its service file, or remove the JAR"
        : "leave one quern-api on the path";
  }

  private static Stream<Class<?>> interfaces(Class<?> type) {
    return type == null
        ? Stream.empty()
        : Stream.concat(
            Stream.of(type.getInterfaces())
                .flatMap(i -> Stream.concat(Stream.of(i), interfaces(i))),
            interfaces(type.getSuperclass()));
  }

  /// Whether an entry already tells of this failure. Only the class path throws a bare
  /// LinkageError, and `diagnose` then ran into the same.
  private boolean explained(Throwable failure) {
    String message = String.valueOf(failure.getMessage());
    return broken.stream()
        .anyMatch(entry ->
            failure instanceof LinkageError && entry.reason().contains(Failures.text(failure))
                || names(message, entry.className())
                || message.contains(entry.location() + "!/" + ServiceFiles.RESOURCE)
                || message.contains(entry.location() + ServiceFiles.RESOURCE));
  }

  /// Whether a message of ServiceLoader's is about a class.
  private static boolean names(String message, String className) {
    return List.of(message.split("[\\s,;]+")).contains(className);
  }

  /// What is left: mostly broken declarations of modules, whose class ServiceLoader's message
  /// names.
  private void rejectByMessage(Throwable failure) {
    Map<String, String> locations = new LinkedHashMap<>();
    for (Module module : ModuleLayer.boot().modules()) {
      module.getDescriptor().provides().stream()
          .filter(p -> p.service().equals(KernelProvider.class.getName()))
          .flatMap(p -> p.providers().stream())
          .forEach(name -> locations.put(name, locationOf(module)));
    }
    String message = Failures.text(failure);
    String className =
        locations.keySet().stream()
            .filter(name -> names(message, name))
            .findFirst()
            .orElse(Unusable.UNKNOWN);
    reject(
        className,
        locations.getOrDefault(className, Locations.UNKNOWN),
        message,
        Failures.remedy(failure));
  }

  private static String locationOf(Module module) {
    return module
        .getLayer()
        .configuration()
        .findModule(module.getName())
        .flatMap(m -> m.reference().location())
        .map(location -> Locations.plain(location.toString()))
        .orElse(Locations.UNKNOWN);
  }

  private void reject(String className, String location, String reason, String remedy) {
    broken.add(Unusable.broken(className, location, reason, remedy));
  }
}

package dev.quern.release;

import japicmp.cmp.JApiCmpArchive;
import japicmp.cmp.JarArchiveComparator;
import japicmp.cmp.JarArchiveComparatorOptions;
import japicmp.filter.JavadocLikePackageFilter;
import japicmp.model.AccessModifier;
import japicmp.model.JApiBehavior;
import japicmp.model.JApiClass;
import japicmp.model.JApiCompatibility;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// What no longer compiles or links against a newer version, as japicmp finds it, in packages that
/// the older one exported to everybody.
final class ApiBreaks {
  private ApiBreaks() {}

  /// By type, or by artifact where all of it is gone.
  static TreeMap<String, String> between(Artifacts before, Artifacts after, Stability stability)
      throws IOException {
    TreeMap<String, String> breaks = new TreeMap<>();
    for (Map.Entry<String, Path> jar : before.jars().entrySet()) {
      Path newer = after.jars().get(jar.getKey());
      if (newer == null) {
        breaks.put(jar.getKey(), "the artifact is gone");
        continue;
      }
      for (JApiClass type : compare(jar.getValue(), newer, before, after)) {
        boolean fits = type.isBinaryCompatible() && type.isSourceCompatible();
        if (!fits && stability.keeps(type.getFullyQualifiedName())) {
          breaks.put(type.getFullyQualifiedName(), String.join(", ", changes(type)));
        }
      }
    }
    return breaks;
  }

  private static List<JApiClass> compare(Path older, Path newer, Artifacts before, Artifacts after)
      throws IOException {
    JarArchiveComparatorOptions options = new JarArchiveComparatorOptions();
    options.setAccessModifier(AccessModifier.PROTECTED);
    options.setClassPathMode(JarArchiveComparatorOptions.ClassPathMode.TWO_SEPARATE_CLASSPATHS);
    options.setOldClassPath(before.classPath());
    options.setNewClassPath(after.classPath());
    // Types of other projects, which stay as they are in both.
    options.getIgnoreMissingClasses().setIgnoreAllMissingClasses(true);
    for (String exported : exported(older)) {
      options.getFilters().getIncludes().add(new JavadocLikePackageFilter(exported, true));
    }
    return new JarArchiveComparator(options)
        .compare(
            new JApiCmpArchive(older.toFile(), before.version()),
            new JApiCmpArchive(newer.toFile(), after.version()));
  }

  /// All packages, where the JAR is no module.
  private static Set<String> exported(Path jar) throws IOException {
    ModuleDescriptor module =
        ModuleFinder.of(jar).findAll().stream()
            .findFirst()
            .orElseThrow(() -> new IOException(jar + ": holds no classes"))
            .descriptor();
    if (module.isAutomatic()) {
      return module.packages();
    }
    Set<String> exported =
        module.exports().stream()
            .filter(e -> !e.isQualified())
            .map(ModuleDescriptor.Exports::source)
            .collect(Collectors.toCollection(TreeSet::new));
    // No filter at all would mean every package.
    return exported.isEmpty() ? Set.of("none.is.exported") : exported;
  }

  private static List<String> changes(JApiClass type) {
    List<String> changes = new ArrayList<>();
    add(changes, "", type);
    type.getInterfaces().forEach(i -> add(changes, " " + i.getFullyQualifiedName(), i));
    add(changes, "", type.getSuperclass());
    type.getConstructors().forEach(c -> add(changes, " " + signature(c), c));
    type.getMethods().forEach(m -> add(changes, " " + signature(m), m));
    type.getFields().forEach(f -> add(changes, " " + f.getName(), f));
    return changes.isEmpty() ? List.of("incompatible") : changes;
  }

  private static void add(List<String> changes, String where, JApiCompatibility element) {
    element.getCompatibilityChanges().stream()
        .filter(c -> !c.isBinaryCompatible() || !c.isSourceCompatible())
        .map(c -> c.getType() + where)
        .forEach(changes::add);
  }

  private static String signature(JApiBehavior behavior) {
    return behavior.getParameters().stream()
        .map(p -> p.getType())
        .collect(Collectors.joining(",", behavior.getName() + "(", ")"));
  }
}

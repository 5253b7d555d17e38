package dev.quern;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Environment variables that stand for properties: `QUERN_PROVIDER_LINEAR` for
/// `quern.provider.linear`.
final class Variables {
  private static final String PREFIX = "QUERN_";

  /// Where JARs of providers are: a word of the launcher's that looks like a setting.
  static final String PROVIDER_PATH = "QUERN_PROVIDER_PATH";

  /// That word's name before, which nobody could tell from [KernelOptions#PROVIDER]'s.
  private static final String OLD_PROVIDER_PATH = "QUERN_PROVIDERS";

  /// The launcher's words.
  private static final Set<String> NO_SETTINGS =
      Set.of(PROVIDER_PATH, "QUERN_JAVA_OPTS", "QUERN_LAUNCHER", "QUERN_HOME");

  private Variables() {}

  /// The properties that variables state. An empty one states nothing, as is usual for them.
  ///
  /// @throws SelectionException if one has the name of an earlier release
  static Map<String, String> properties(Map<String, String> environment) {
    if (!environment.getOrDefault(OLD_PROVIDER_PATH, "").isEmpty()) {
      throw new SelectionException(
          String.format(
              Locale.ROOT,
              "%s is called %s now: JARs and folders of providers. (To say which provider runs, set %s.)",
              OLD_PROVIDER_PATH,
              PROVIDER_PATH,
              of(KernelOptions.PROVIDER)));
    }
    Map<String, String> properties = new TreeMap<>();
    environment.forEach((name, value) -> {
      if (name.startsWith(PREFIX)
          && name.length() > PREFIX.length()
          && !name.equals(OLD_PROVIDER_PATH)
          && !NO_SETTINGS.contains(name)
          && !value.isEmpty()) {
        properties.put(property(name), value);
      }
    });
    return properties;
  }

  private static String property(String name) {
    return name.equals(of(KernelOptions.ASSERT_NO_FALLBACK))
        ? KernelOptions.ASSERT_NO_FALLBACK
        : name.toLowerCase(Locale.ROOT).replace('_', '.');
  }

  /// The variable of a property. Of a provider's own, only those can be set so that have neither
  /// capitals nor `-` nor `_`.
  static String of(String property) {
    return property.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }
}

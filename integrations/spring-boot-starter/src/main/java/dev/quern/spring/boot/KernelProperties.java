package dev.quern.spring.boot;

import dev.quern.KernelOptions;
import dev.quern.KernelReport;
import dev.quern.ProviderEntry;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;

/// The properties that choose kernels ([KernelOptions]), out of Spring's environment: `quern.` and
/// what the starter has no use for itself. Spring's order decides: command line over system
/// properties over environment variables over `application.properties`.
final class KernelProperties {
  private static final ConfigurationPropertyName QUERN = ConfigurationPropertyName.of("quern");

  /// First names behind `quern.` that are the starter's: the components of [QuernProperties].
  private static final Set<String> OURS =
      Set.of(
          "model",
          "name",
          "threads",
          "context",
          "kv",
          "chat-template",
          "parallel",
          "queue",
          "prefixes",
          "lookup",
          "embedding",
          "chat");

  /// As above, of [KernelOptions].
  private static final Set<String> KERNELS =
      Set.of("provider", "numerics", "cpu", "selfcheck", "hugepages", "assert-no-fallback");

  private final ConfigurableEnvironment environment;

  KernelProperties(ConfigurableEnvironment environment) {
    this.environment = environment;
  }

  /// What the machine and Spring's environment say.
  ///
  /// @param loader that providers are looked for with
  KernelOptions options(ClassLoader loader) {
    KernelOptions system = KernelOptions.fromSystem();
    Map<String, String> properties = new HashMap<>(system.properties());
    Set<String> fromEnvironment = new HashSet<>(system.fromEnvironment());
    stated()
        .forEach((name, value) -> {
          if (!value.equals(properties.put("quern." + name, value))) {
            fromEnvironment.remove("quern." + name);
          }
        });
    return new KernelOptions(properties, system.platform(), loader, fromEnvironment);
  }

  private Map<String, String> stated() {
    Map<String, String> stated = new TreeMap<>();
    Binder.get(environment)
        .bind(QUERN, Bindable.mapOf(String.class, String.class))
        .orElse(Map.of())
        .forEach((name, value) -> {
          if (!OURS.contains(first(name))) {
            stated.put(name, value);
          }
        });
    return stated;
  }

  private static String first(String name) {
    int dot = name.indexOf('.');
    return dot < 0 ? name : name.substring(0, dot);
  }

  /// Refuses what nobody reads: a name that is neither the starter's nor the kernels' nor a
  /// provider's own. System properties and variables may be for others in the process.
  ///
  /// @throws InvalidConfigurationPropertyValueException for the first such name
  void requireKnown(KernelReport report) {
    Set<String> providers =
        report.providers().stream().map(ProviderEntry::name).collect(Collectors.toSet());
    for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
      if (source instanceof IterableConfigurationPropertySource names && !ofSystem(source)) {
        names.stream()
            .filter(QUERN::isAncestorOf)
            .filter(name -> !known(name, providers))
            .findFirst()
            .ifPresent(name -> {
              throw new InvalidConfigurationPropertyValueException(
                  name.toString(),
                  names.getConfigurationProperty(name).getValue(),
                  "no such property, expected one of "
                      + String.join(", ", all())
                      + " behind quern., or a provider's own (quern.<provider>.<name>)");
            });
      }
    }
  }

  private static boolean known(ConfigurationPropertyName name, Set<String> providers) {
    String first = name.getElement(1, ConfigurationPropertyName.Form.DASHED);
    return all().contains(first) || providers.contains(first);
  }

  private static Set<String> all() {
    Set<String> all = new TreeSet<>(OURS);
    all.addAll(KERNELS);
    return all;
  }

  private static boolean ofSystem(ConfigurationPropertySource source) {
    return source.getUnderlyingSource() instanceof PropertySource<?> underlying
        && Set.of(
                StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME,
                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)
            .contains(underlying.getName());
  }
}

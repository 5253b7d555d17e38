package dev.quern;

import dev.quern.platform.CpuFeatures;
import dev.quern.platform.Platforms;
import dev.quern.spi.Platform;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// What decides which kernels run: properties, platform, and where providers are looked for.
///
/// The properties:
///
/// - `quern.provider`: `auto` (the default) asks every ready provider, by priority. A list such as
///   `kleidi?,vector,scalar` asks these in that order; each must be ready, unless `?` marks that it
///   may be absent. A spec goes to the first that takes it.
/// - `quern.provider.<operator>`: the same for one [Operator].
/// - `quern.assert-no-fallback`: operators (`linear,attention`, or `all`) whose specs must run on
///   the first provider that is asked. Where one would run on another, since the first declines it
///   or is unavailable for a reason that can be mended, choosing fails.
/// - `quern.numerics`: `any` (the default); `exact` for linear kernels in exact F32 arithmetic;
///   `invariant` for kernels whose result for a row does not depend, bit for bit, on what else is
///   computed with it (SPEC.md, P21); or both, `exact,invariant`.
/// - `quern.cpu.mask`: `-name,-name`, CPU features that providers don't get to see.
/// - `quern.selfcheck.file`: where the results of `quern selfcheck` are, see [Selfcheck].
/// - `quern.hugepages`: `auto` (the default), or `off` for a model's memory in ordinary pages.
/// - `quern.<provider>.<name>`: the provider's own.
///
/// Each may be an environment variable too, in capitals with `_` for the dots
/// (`QUERN_PROVIDER_LINEAR`); the property wins.
///
/// @param properties those whose names begin with `quern.`, and what variables state in their place
/// @param platform the platform as detected; its CPU features before `quern.cpu.mask`. Providers
///   see it with the mask applied and with these properties in place of its own
/// @param loader class loader that providers are looked for with
/// @param fromEnvironment names of those properties that a variable states: reports and messages
///   call them by its name
/// @since 0.1
/// @stability api
public record KernelOptions(
    Map<String, String> properties,
    Platform platform,
    ClassLoader loader,
    Set<String> fromEnvironment) {
  static final String PREFIX = "quern.";
  static final String PROVIDER = "quern.provider";
  static final String NUMERICS = "quern.numerics";
  static final String ASSERT_NO_FALLBACK = "quern.assert-no-fallback";
  static final String CPU_MASK = "quern.cpu.mask";

  public KernelOptions {
    properties = Map.copyOf(properties);
    Objects.requireNonNull(platform, "platform");
    Objects.requireNonNull(loader, "loader");
    fromEnvironment = Set.copyOf(fromEnvironment);
    properties.keySet().forEach(KernelOptions::requireOurs);
  }

  /// Options without environment variables.
  public KernelOptions(Map<String, String> properties, Platform platform, ClassLoader loader) {
    this(properties, platform, loader, Set.of());
  }

  /// The system properties, the environment variables, this machine, and the thread's context class
  /// loader (the loader of this class where a thread has none).
  ///
  /// @throws SelectionException if a variable has the name of an earlier release
  public static KernelOptions fromSystem() {
    Map<String, String> ours = new TreeMap<>();
    var system = System.getProperties();
    for (String key : system.stringPropertyNames()) {
      if (key.startsWith(PREFIX)) {
        ours.put(key, system.getProperty(key));
      }
    }
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    return of(
        ours,
        System.getenv(),
        Platforms.current(ours),
        context != null ? context : KernelOptions.class.getClassLoader());
  }

  /// Properties over environment variables.
  static KernelOptions of(
      Map<String, String> properties,
      Map<String, String> environment,
      Platform platform,
      ClassLoader loader) {
    Map<String, String> all = Variables.properties(environment);
    Set<String> fromEnvironment = new TreeSet<>(all.keySet());
    fromEnvironment.removeAll(properties.keySet());
    all.putAll(properties);
    return new KernelOptions(all, platform, loader, fromEnvironment);
  }

  /// These options with one property set.
  ///
  /// @param key a name that begins with `quern.`
  public KernelOptions with(String key, String value) {
    Map<String, String> changed = new HashMap<>(properties);
    changed.put(key, Objects.requireNonNull(value, key));
    Set<String> left = new TreeSet<>(fromEnvironment);
    left.remove(key);
    return new KernelOptions(changed, platform, loader, left);
  }

  /// These options with `quern.provider` set.
  ///
  /// @param list `auto`, or names in order, such as `kleidi?,vector,scalar`
  public KernelOptions withProvider(String list) {
    return with(PROVIDER, list);
  }

  /// The platform as providers see it: with `quern.cpu.mask` applied and these properties.
  ///
  /// @throws SelectionException if `quern.cpu.mask` is malformed
  public Platform providersPlatform() {
    Set<String> features;
    try {
      features =
          CpuFeatures.masked(platform.cpuFeatures(), stated(CPU_MASK), properties.get(CPU_MASK));
    } catch (IllegalArgumentException e) {
      throw new SelectionException(e.getMessage(), e);
    }
    return new Platform(
        platform.os(),
        platform.arch(),
        features,
        platform.jit(),
        platform.modules(),
        properties,
        platform.flags());
  }

  /// What the user calls a property: its own name, or that of the variable that states it.
  String stated(String property) {
    return fromEnvironment.contains(property) ? Variables.of(property) : property;
  }

  private static void requireOurs(String key) {
    if (!key.startsWith(PREFIX)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "kernel options: property %s, expected a name that begins with %s",
              key,
              PREFIX));
    }
  }
}

package dev.quern;

import dev.quern.discovery.Locations;
import dev.quern.discovery.Unusable;
import java.util.Locale;
import java.util.Objects;

/// A provider that was found, whatever became of it.
///
/// @param name the name that users select it by, [#UNNAMED] where it could not be asked for it
/// @param className its class, [#UNNAMED] where a broken service file hides it
/// @param location URI of the JAR, folder or module that it came from
/// @param priority its place under `auto`, the highest first; 0 where it could not be asked
/// @param specVersion the [dev.quern.spi.Spec#VERSION] that it was built against; 0 where it could
///   not be asked
/// @param verdict whether it can run here, and if not, why
/// @since 0.1
/// @stability api
public record ProviderEntry(
    String name,
    String className,
    String location,
    int priority,
    int specVersion,
    Verdict verdict) {
  /// Stands for a name that is not known.
  public static final String UNNAMED = Unusable.UNKNOWN;

  public ProviderEntry {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(className, "className");
    Objects.requireNonNull(location, "location");
    Objects.requireNonNull(verdict, "verdict");
  }

  /// A provider that could not even be asked for its name.
  static ProviderEntry unnamed(String className, String location, Verdict verdict) {
    return new ProviderEntry(UNNAMED, className, location, 0, 0, verdict);
  }

  /// A provider that can't be asked for anything.
  static ProviderEntry of(Unusable found) {
    return unnamed(
        found.className(),
        found.location(),
        found.broken()
            ? new Verdict.Rejected(found.reason(), found.remedy())
            : new Verdict.Unavailable(found.reason(), found.remedy()));
  }

  ProviderEntry withVerdict(Verdict verdict) {
    return new ProviderEntry(name, className, location, priority, specVersion, verdict);
  }

  /// Whether it can run here.
  public boolean ready() {
    return verdict instanceof Verdict.Ready;
  }

  /// Whether it runs here, or would after something that a user can do.
  boolean mightRun() {
    return !(verdict instanceof Verdict.Unavailable(_, String remedy) && remedy.isEmpty());
  }

  /// The name and where it comes from, for messages: `vector (dev.x.Vector in /lib/x.jar)`.
  String label() {
    return String.format(
        Locale.ROOT, "%s (%s in %s)", name, className, Locations.forPeople(location));
  }
}

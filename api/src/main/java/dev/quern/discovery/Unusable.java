package dev.quern.discovery;

import java.util.Objects;

/// A provider that was found and can't even be asked for its name.
///
/// @param className its class, [#UNKNOWN] where a broken service file hides it
/// @param location URI of the JAR, folder or module that it came from
/// @param broken whether it, or the path, has a fault; false: it is whole, and this JVM did not
///   take it
/// @param reason what is wrong
/// @param remedy what the user can do
public record Unusable(
    String className, String location, boolean broken, String reason, String remedy) {
  /// Stands for a name that is not known.
  public static final String UNKNOWN = "?";

  public Unusable {
    Objects.requireNonNull(className, "className");
    Objects.requireNonNull(location, "location");
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(remedy, "remedy");
  }

  static Unusable broken(String className, String location, String reason, String remedy) {
    return new Unusable(className, location, true, reason, remedy);
  }
}

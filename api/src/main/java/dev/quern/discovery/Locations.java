package dev.quern.discovery;

import java.net.URI;
import java.nio.file.Path;
import java.security.CodeSource;

/// Where classes and service files come from, as URIs of JARs, folders or modules.
public final class Locations {
  static final String UNKNOWN = "unknown location";

  private Locations() {}

  /// The JAR, folder or module of a class.
  public static String of(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    return source == null || source.getLocation() == null
        ? UNKNOWN
        : plain(source.getLocation().toString());
  }

  /// The JAR or folder that holds a resource: `jar:file:/a.jar!/x/y` gives `file:/a.jar`,
  /// `file:/dir/x/y` gives `file:/dir/`.
  ///
  /// @param url the resource's URL
  /// @param resource its name, `x/y`
  public static String holding(String url, String resource) {
    String root = url.endsWith(resource) ? url.substring(0, url.length() - resource.length()) : url;
    return plain(
        root.startsWith("jar:") && root.endsWith("!/")
            ? root.substring("jar:".length(), root.length() - "!/".length())
            : root);
  }

  /// Class loaders write `file:/a.jar`, module readers `file:///a.jar`.
  static String plain(String location) {
    return location.startsWith("file:///") ? "file:/" + location.substring(8) : location;
  }

  /// A `file:` URI as a path; everything else as it is.
  public static String forPeople(String location) {
    if (!location.startsWith("file:")) {
      return location;
    }
    try {
      return Path.of(URI.create(location)).toString();
    } catch (IllegalArgumentException _) {
      // A URL that is no URI, for example with a blank in it: show what the class loader calls it.
      return location;
    }
  }
}

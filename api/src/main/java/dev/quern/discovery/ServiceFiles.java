package dev.quern.discovery;

import dev.quern.spi.KernelProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Reads the provider-configuration files of the class path a second time. ServiceLoader stays the
/// one that finds providers; but where it fails it doesn't say which JAR is to blame.
public final class ServiceFiles {
  public static final String RESOURCE = "META-INF/services/" + KernelProvider.class.getName();

  private static final Pattern CLASS_NAME =
      Pattern.compile("\\p{javaJavaIdentifierStart}[\\p{javaJavaIdentifierPart}.]*");

  /// One file.
  ///
  /// @param location the JAR or folder that holds it
  /// @param classNames what it lists; empty where it is broken
  /// @param problem why ServiceLoader reads nothing from it; empty where it is sound
  record ServiceFile(String location, List<String> classNames, String problem) {}

  private ServiceFiles() {}

  /// All files that a class loader sees.
  ///
  /// @throws IOException if the loader can't list them
  static List<ServiceFile> visibleTo(ClassLoader loader) throws IOException {
    List<ServiceFile> files = new ArrayList<>();
    for (URL url : Collections.list(loader.getResources(RESOURCE))) {
      files.add(read(url));
    }
    return files;
  }

  private static ServiceFile read(URL url) {
    String location = Locations.holding(url.toString(), RESOURCE);
    List<String> names = new ArrayList<>();
    try (BufferedReader lines = open(url)) {
      int number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        String name = line.replaceFirst("#.*", "").strip();
        if (!name.isEmpty() && !CLASS_NAME.matcher(name).matches()) {
          return new ServiceFile(
              location,
              List.of(),
              String.format(
                  Locale.ROOT, "%s, line %d: '%s' is not a class name", RESOURCE, number, name));
        }
        if (!name.isEmpty()) {
          names.add(name);
        }
      }
    } catch (IOException e) {
      return new ServiceFile(location, List.of(), RESOURCE + " can't be read: " + e);
    }
    return new ServiceFile(location, List.copyOf(names), "");
  }

  private static BufferedReader open(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    // A cached connection would keep the JAR open, and hide that it was replaced.
    connection.setUseCaches(false);
    return new BufferedReader(
        new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8));
  }
}

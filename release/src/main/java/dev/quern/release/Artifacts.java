package dev.quern.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// The JARs of one version, by artifact, in a folder that a build deployed into.
record Artifacts(String version, Map<String, Path> jars) {
  static Artifacts in(Path folder) throws IOException {
    Path group = folder.resolve(CheckBundle.GROUP.replace('.', '/'));
    if (!Files.isDirectory(group)) {
      throw new IOException(
          folder + ": expected a folder that a build deployed into (no " + group + ")");
    }
    Map<String, Path> jars = new TreeMap<>();
    TreeSet<String> versions = new TreeSet<>();
    List<Path> files;
    try (var walk = Files.walk(group)) {
      files = walk.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      var at = CheckBundle.Coordinates.of(folder.relativize(file).toString().replace('\\', '/'));
      if (at != null && at.tail().equals(".jar")) {
        jars.put(at.artifact(), file);
        versions.add(at.version());
      }
    }
    if (versions.size() != 1) {
      throw new IOException(folder + ": expected JARs of one version, found " + versions);
    }
    return new Artifacts(versions.first(), jars);
  }

  List<String> classPath() {
    return jars.values().stream().map(Path::toString).toList();
  }
}

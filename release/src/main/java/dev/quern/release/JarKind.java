package dev.quern.release;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.jar.JarFile;
import java.util.zip.ZipException;

/// The JARs of an artifact, and what each must hold to be one.
enum JarKind {
  MAIN(".jar", name -> !name.endsWith("/") && !name.startsWith("META-INF/maven/"), "nothing"),
  SOURCES("-sources.jar", name -> name.endsWith(".java") || name.endsWith(".gguf"), "no source"),
  JAVADOC("-javadoc.jar", name -> name.equals("index.html"), "no index.html");

  final String tail;
  private final Predicate<String> content;
  private final String lacks;

  JarKind(String tail, Predicate<String> content, String lacks) {
    this.tail = tail;
    this.content = content;
    this.lacks = lacks;
  }

  List<String> faults(Path jar) throws IOException {
    List<String> faults = new ArrayList<>();
    try (JarFile file = new JarFile(jar.toFile())) {
      List<String> names = file.stream().map(e -> e.getName()).toList();
      if (names.stream().noneMatch(content)) {
        faults.add("there is " + lacks + " in it");
      }
      for (String licence : List.of("META-INF/LICENSE", "META-INF/NOTICE")) {
        if (!names.contains(licence)) {
          faults.add("lacks " + licence);
        }
      }
    } catch (ZipException e) {
      faults.add("no JAR: " + e.getMessage());
    }
    return faults;
  }
}

package dev.quern;

import static java.util.stream.Collectors.joining;

import dev.quern.discovery.ServiceFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject.Kind;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/// Makes provider JARs outside the build, as other people's are.
final class ProviderJars {
  /// A provider that declines all. `%1$s` package, `%2$s` class, `%3$s` name, `%4$s` priority,
  /// `%5$s` more members.
  private static final String SOURCE =
      """
      package %1$s;
      import dev.quern.spi.*;
      public class %2$s implements KernelProvider, KernelSet {
        public String name() { return "%3$s"; }
        public int priority() { return %4$s; }
        public int specVersion() { return Spec.VERSION; }
        public Availability open(Platform platform) {
          return new Availability.Ready(this, "from " + %2$s.class.getName());
        }
        %5$s
      }
      """;

  private ProviderJars() {}

  static String source(String className, String name, int priority, String members) {
    int dot = className.lastIndexOf('.');
    return String.format(
        Locale.ROOT,
        SOURCE,
        className.substring(0, dot),
        className.substring(dot + 1),
        name,
        priority,
        members);
  }

  /// Compiles classes, and puts them into a JAR with more entries (name to text).
  ///
  /// @param sources class name to source; `module-info` for a module
  /// @param options for javac, such as a class path; that of this JVM is the default
  static Path jar(
      Path jar, Map<String, String> sources, Map<String, String> entries, String... options)
      throws IOException {
    Path classes = Files.createTempDirectory(jar.getParent(), "classes");
    if (!sources.isEmpty()) {
      compile(classes, sources, options);
    }
    for (Map.Entry<String, String> e : entries.entrySet()) {
      Path file = classes.resolve(e.getKey());
      Files.createDirectories(file.getParent());
      Files.writeString(file, e.getValue());
    }
    return zip(jar, classes);
  }

  /// A JAR with one provider and its service file.
  static Path provider(Path jar, String className, String name, int priority) throws IOException {
    return jar(
        jar,
        Map.of(className, source(className, name, priority, "")),
        Map.of(ServiceFiles.RESOURCE, className + "\n"));
  }

  static void compile(Path classes, Map<String, String> sources, String... options) {
    JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    List<String> all = new ArrayList<>(List.of("-d", classes.toString(), "-proc:none"));
    all.addAll(Arrays.asList(options));
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    boolean compiled =
        javac
            .getTask(
                new PrintWriter(messages, true, StandardCharsets.UTF_8),
                null,
                null,
                all,
                null,
                new TreeMap<>(sources)
                    .entrySet().stream().map(e -> new Source(e.getKey(), e.getValue())).toList())
            .call();
    if (!compiled) {
      throw new IllegalStateException(messages.toString(StandardCharsets.UTF_8));
    }
  }

  static Path zip(Path jar, Path classes) throws IOException {
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream zip = new JarOutputStream(out);
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        zip.putNextEntry(new JarEntry(classes.relativize(file).toString().replace('\\', '/')));
        Files.copy(file, zip);
        zip.closeEntry();
      }
    }
    return jar;
  }

  static String path(Path... elements) {
    return Arrays.stream(elements)
        .map(Path::toString)
        .collect(joining(System.getProperty("path.separator")));
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String className, String text) {
      super(URI.create("string:///" + className.replace('.', '/') + ".java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}

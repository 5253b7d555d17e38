package dev.quern.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Whether a bundle is what Maven Central demands, and what Quern publishes: `CheckBundle
/// BUNDLE.zip KEY.asc` prints each fault in a line, and ends with code 1 if there is one.
public final class CheckBundle {
  static final String GROUP = "dev.quern";

  /// Beside each file: its signature, and checksums in hexadecimal.
  static final String SIGNATURE = ".asc";

  static final Map<String, String> CHECKSUMS =
      Map.of(".md5", "MD5", ".sha1", "SHA-1", ".sha256", "SHA-256");

  /// Not demanded, right where they are.
  static final Map<String, String> MORE_CHECKSUMS = Map.of(".sha512", "SHA-512");

  private final Path folder;
  private final Signatures signatures;
  private final List<String> faults = new ArrayList<>();
  private final Map<String, BundlePom> poms = new HashMap<>();

  private CheckBundle(Path folder, Signatures signatures) {
    this.folder = folder;
    this.signatures = signatures;
  }

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: CheckBundle BUNDLE.zip KEY.asc");
      System.exit(2);
    }
    Path bundle = Path.of(args[0]);
    List<String> faults = faults(bundle, Path.of(args[1]));
    faults.forEach(fault -> System.err.println("release: " + bundle.getFileName() + ": " + fault));
    if (!faults.isEmpty()) {
      System.err.println("release: refused for " + faults.size() + " faults");
      System.exit(1);
    }
    System.out.println("release: " + bundle.getFileName() + " is what Maven Central demands");
  }

  /// What is wrong with a bundle; empty if nothing.
  ///
  /// @param bundle a zip
  /// @param key the public key, armored, that all of it must be signed with
  static List<String> faults(Path bundle, Path key) throws IOException {
    try (Scratch scratch = new Scratch();
        Signatures signatures = Signatures.by(key)) {
      Unzip.into(scratch.folder(), bundle);
      CheckBundle check = new CheckBundle(scratch.folder(), signatures);
      check.all();
      return check.faults;
    }
  }

  private void all() throws IOException {
    Set<String> files = new TreeSet<>();
    try (var walk = Files.walk(folder)) {
      walk.filter(Files::isRegularFile)
          .forEach(f -> files.add(folder.relativize(f).toString().replace('\\', '/')));
    }
    Set<String> artifacts = new TreeSet<>();
    for (String file : files) {
      if (companionOf(file, files) == null) {
        Coordinates at = Coordinates.of(file);
        if (at == null) {
          faults.add(file + ": not the path of an artifact of " + GROUP);
        } else {
          artifacts.add(at.artifact() + ":" + at.version());
          companions(file, files);
          if (at.tail().equals(".pom")) {
            poms.put(at.artifact(), BundlePom.of(folder.resolve(file)));
          }
        }
      }
    }
    for (String artifact : artifacts) {
      artifact(artifact.split(":")[0], artifact.split(":")[1], files);
    }
    whole(artifacts);
  }

  /// The file that this one signs or sums, if it is such.
  private static String companionOf(String file, Set<String> files) {
    for (String end : List.of(SIGNATURE, ".md5", ".sha1", ".sha256", ".sha512")) {
      if (file.endsWith(end)) {
        String of = file.substring(0, file.length() - end.length());
        // Sums of a signature are neither demanded nor wrong.
        return files.contains(of) ? of : null;
      }
    }
    return null;
  }

  private void companions(String file, Set<String> files) throws IOException {
    if (!files.contains(file + SIGNATURE)) {
      faults.add(file + ": has no signature (" + SIGNATURE + ")");
    } else {
      signatures
          .fault(folder.resolve(file), folder.resolve(file + SIGNATURE))
          .ifPresent(f -> faults.add(file + ": " + f));
    }
    for (Map.Entry<String, String> sum : CHECKSUMS.entrySet()) {
      if (!files.contains(file + sum.getKey())) {
        faults.add(file + ": has no " + sum.getKey());
      }
    }
    Map<String, String> all = new HashMap<>(CHECKSUMS);
    all.putAll(MORE_CHECKSUMS);
    for (Map.Entry<String, String> sum : all.entrySet()) {
      if (files.contains(file + sum.getKey())) {
        String said = Files.readString(folder.resolve(file + sum.getKey())).strip();
        String is = Checksums.hex(sum.getValue(), folder.resolve(file));
        if (!said.equals(is)) {
          faults.add(file + sum.getKey() + ": says " + said + ", and the file has " + is);
        }
      }
    }
  }

  private void artifact(String artifact, String version, Set<String> files) throws IOException {
    String stem =
        GROUP.replace('.', '/') + "/" + artifact + "/" + version + "/" + artifact + "-" + version;
    if (version.endsWith("-SNAPSHOT")) {
      faults.add(stem + ": a SNAPSHOT");
    }
    BundlePom pom = poms.get(artifact);
    if (pom == null) {
      faults.add(stem + ".pom: absent");
      return;
    }
    pom.faults(new BundlePom.Expected(artifact, version, poms))
        .forEach(f -> faults.add(stem + ".pom: " + f));
    if (pom.packaging().equals("pom")) {
      return;
    }
    for (JarKind kind : JarKind.values()) {
      String jar = stem + kind.tail;
      if (!files.contains(jar)) {
        faults.add(jar + ": absent");
      } else {
        kind.faults(folder.resolve(jar)).forEach(f -> faults.add(jar + ": " + f));
      }
    }
  }

  /// All that the BOM manages, the BOM, and the parent of all; one version.
  private void whole(Set<String> artifacts) {
    BundlePom bom = poms.get("quern-bom");
    if (bom == null) {
      faults.add("quern-bom is absent, which says what belongs to a release");
      return;
    }
    Set<String> expected = new TreeSet<>();
    String version = bom.version();
    for (String artifact : bom.managed()) {
      expected.add(artifact + ":" + version);
    }
    expected.add("quern:" + version);
    expected.add("quern-bom:" + version);
    for (String artifact : expected) {
      if (!artifacts.contains(artifact)) {
        faults.add(artifact + ": absent, and quern-bom names it");
      }
    }
    for (String artifact : artifacts) {
      if (!expected.contains(artifact)) {
        faults.add(artifact + ": is there, and quern-bom does not name it");
      }
    }
  }

  /// Where a file of a Maven repository belongs.
  ///
  /// @param tail what follows the version: a classifier, and the type
  record Coordinates(String artifact, String version, String tail) {
    /// Of `dev/quern/ARTIFACT/VERSION/ARTIFACT-VERSION...`; null where it is no such path.
    static Coordinates of(String path) {
      String[] parts = path.split("/");
      if (parts.length != 5 || !(parts[0] + "." + parts[1]).equals(GROUP)) {
        return null;
      }
      String stem = parts[2] + "-" + parts[3];
      String tail = parts[4].startsWith(stem) ? parts[4].substring(stem.length()) : "";
      return tail.matches("(-[a-z0-9_-]+)?\\.(pom|jar|json|xml)")
          ? new Coordinates(parts[2], parts[3], tail)
          : null;
    }
  }
}

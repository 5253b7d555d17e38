package dev.quern.release;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/// A POM of a bundle, and what Maven Central demands of one. A file that is no XML has no elements,
/// and so lacks all of them.
///
/// @param project its root; null where the file can't be read
/// @param error why not
record BundlePom(Element project, String error) {
  /// What a POM has, or its parent has for it.
  private static final List<String> DEMANDED =
      List.of(
          "name",
          "description",
          "url",
          "licenses/license/name",
          "licenses/license/url",
          "developers/developer/name",
          "scm/connection",
          "scm/developerConnection",
          "scm/url");

  /// Maven Central takes no artifact that needs another repository.
  private static final List<String> FORBIDDEN =
      List.of("repositories/repository/url", "pluginRepositories/pluginRepository/url");

  /// @param poms all of the bundle's, by artifact
  record Expected(String artifact, String version, Map<String, BundlePom> poms) {}

  static BundlePom of(Path file) throws IOException {
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      var builder = factory.newDocumentBuilder();
      builder.setErrorHandler(null); // which would print what becomes a fault
      return new BundlePom(builder.parse(file.toFile()).getDocumentElement(), "");
    } catch (SAXException e) {
      return new BundlePom(null, "no XML: " + e.getMessage());
    } catch (ParserConfigurationException e) {
      throw new IOException(e);
    }
  }

  List<String> faults(Expected expected) {
    if (project == null) {
      return List.of(error);
    }
    List<String> faults = new ArrayList<>();
    BundlePom parent = expected.poms.get(text("parent/artifactId"));
    if (!text("parent/artifactId").isEmpty() && parent == null) {
      faults.add("its parent " + text("parent/artifactId") + " is not in the bundle");
    }
    same(faults, "groupId", own("groupId"), CheckBundle.GROUP);
    same(faults, "artifactId", text("artifactId"), expected.artifact);
    same(faults, "version", version(), expected.version);
    for (String path : DEMANDED) {
      boolean inherited = !path.equals("name") && !path.equals("description");
      if (text(path).isEmpty() && !(inherited && parent != null && !parent.text(path).isEmpty())) {
        faults.add("says no " + path);
      }
    }
    for (String path : FORBIDDEN) {
      if (!texts(path).isEmpty()) {
        faults.add("names a repository beside Maven Central: " + texts(path));
      }
    }
    dependencies(faults, expected);
    return faults;
  }

  private void dependencies(List<String> faults, Expected expected) {
    for (String section :
        List.of("dependencies/dependency", "dependencyManagement/dependencies/dependency")) {
      for (Element dependency : elements(section)) {
        BundlePom of = new BundlePom(dependency, "");
        String name = of.text("groupId") + ":" + of.text("artifactId");
        String version = of.text("version").replace("${project.version}", expected.version);
        if (version.contains("SNAPSHOT") || version.matches("[\\[(].*|LATEST|RELEASE")) {
          faults.add(name + ": version " + version + ", expected a release's");
        }
        if (of.text("scope").equals("system")) {
          faults.add(name + ": scope system, which is no artifact of a repository");
        }
        if (of.text("groupId").equals(CheckBundle.GROUP)) {
          BundlePom other = expected.poms.get(of.text("artifactId"));
          if (!of.text("scope").equals("test") && other == null) {
            faults.add(name + ": is not in the bundle");
          } else if (!version.isEmpty() && !version.equals(expected.version)) {
            faults.add(name + ": version " + version + ", expected " + expected.version);
          }
        }
      }
    }
  }

  private static void same(List<String> faults, String what, String is, String expected) {
    if (!is.equals(expected)) {
      faults.add(what + " '" + is + "', expected " + expected);
    }
  }

  String packaging() {
    String packaging = project == null ? "" : text("packaging");
    return packaging.isEmpty() ? "jar" : packaging;
  }

  String version() {
    return own("version");
  }

  /// The artifacts that it manages the versions of.
  List<String> managed() {
    return project == null
        ? List.of()
        : texts("dependencyManagement/dependencies/dependency/artifactId");
  }

  private String own(String name) {
    return project == null ? "" : text(name).isEmpty() ? text("parent/" + name) : text(name);
  }

  private String text(String path) {
    List<String> texts = texts(path);
    return texts.isEmpty() ? "" : texts.getFirst();
  }

  private List<String> texts(String path) {
    return elements(path).stream().map(e -> e.getTextContent().strip()).toList();
  }

  private List<Element> elements(String path) {
    List<Element> found = project == null ? List.of() : List.of(project);
    for (String name : path.split("/")) {
      List<Element> next = new ArrayList<>();
      for (Element element : found) {
        NodeList children = element.getChildNodes();
        for (int i = 0; i < children.getLength(); i++) {
          Node child = children.item(i);
          if (child instanceof Element e && e.getTagName().equals(name)) {
            next.add(e);
          }
        }
      }
      found = next;
    }
    return found;
  }
}

package dev.socifleet.cli.training;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.MethodModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Makes picocli's jar start quicker, as the build's last step.
 *
 * <p>Its classes are compiled for Java 5. What is older than Java 6 has no stack maps (JVMS 4.7.4):
 * a JVM then checks it by the slow verifier, and leaves it out of its archives (it says "Pre JDK 6
 * class not supported"), which costs each command 0.2 s. They become classes of Java 8.
 *
 * <p>It looks whether Groovy is on the class path. It isn't, to find which a JVM opens each jar and
 * reads its directory, which costs each command 0.06 s. It isn't looked for any more.
 *
 * <p>Nothing else changes; done again, it changes nothing.
 */
public final class QuickerPicocli {
  private static final String ASKS_FOR_GROOVY = "loadClosureClass";

  private QuickerPicocli() {}

  /** {@code JAR...} */
  public static void main(String[] args) throws IOException {
    for (String jar : args) {
      raise(Path.of(jar));
    }
  }

  private static void raise(Path jar) throws IOException {
    Path raised = jar.resolveSibling(jar.getFileName() + ".new");
    try (ZipFile zip = new ZipFile(jar.toFile());
        OutputStream file = new BufferedOutputStream(Files.newOutputStream(raised));
        ZipOutputStream out = new ZipOutputStream(file)) {
      ClassFile classes = classFile(zip);
      for (ZipEntry entry : Collections.list(zip.entries())) {
        byte[] bytes = read(zip, entry);
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTime(entry.getTime());
        out.putNextEntry(copy);
        out.write(isOldClass(entry, bytes) ? raise(classes, bytes) : bytes);
        out.closeEntry();
      }
    }
    Files.move(raised, jar, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Stack maps name the classes that two branches have in common: those of the jar are asked. */
  private static ClassFile classFile(ZipFile zip) {
    ClassHierarchyResolver jar =
        ClassHierarchyResolver.ofResourceParsing(type -> {
          String descriptor = type.descriptorString();
          String name = descriptor.substring(1, descriptor.length() - 1) + ".class";
          try {
            ZipEntry entry = zip.getEntry(name);
            return entry == null ? null : zip.getInputStream(entry);
          } catch (IOException e) {
            throw new IllegalStateException(zip.getName() + " cannot be read", e);
          }
        });
    return ClassFile.of(
        ClassFile.ConstantPoolSharingOption.NEW_POOL,
        ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
        ClassFile.ClassHierarchyResolverOption.of(
            jar.orElse(
                ClassHierarchyResolver.ofClassLoading(ClassLoader.getPlatformClassLoader()))));
  }

  private static byte[] raise(ClassFile classes, byte[] bytes) {
    ClassModel model = classes.parse(bytes);
    // Code that isn't taken to pieces is copied, and gets no stack maps.
    ClassTransform code =
        ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element));
    return classes.transformClass(
        model,
        code.andThen((builder, element) -> {
          if (element instanceof ClassFileVersion) {
            builder.withVersion(ClassFile.JAVA_8_VERSION, 0);
          } else if (element instanceof MethodModel method
              && method.methodName().equalsString(ASKS_FOR_GROOVY)) {
            builder.withMethodBody(
                method.methodName(),
                method.methodType(),
                method.flags().flagsMask(),
                found -> found.aconst_null().areturn());
          } else {
            builder.with(element);
          }
        }));
  }

  /** JVMS 4.1: the version is in the two bytes behind magic and minor version. */
  private static boolean isOldClass(ZipEntry entry, byte[] bytes) {
    return entry.getName().endsWith(".class")
        && (((bytes[6] & 0xff) << 8) | (bytes[7] & 0xff)) < ClassFile.JAVA_6_VERSION;
  }

  private static byte[] read(ZipFile zip, ZipEntry entry) throws IOException {
    try (InputStream in = zip.getInputStream(entry)) {
      return in.readAllBytes();
    }
  }
}

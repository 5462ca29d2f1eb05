package dev.socifleet.events;

import java.lang.reflect.RecordComponent;
import org.jspecify.annotations.Nullable;

/**
 * Whether a record that was read has every component that isn't nullable: JSON can leave any of
 * them out.
 */
final class Checks {
  private Checks() {}

  static void complete(Object record) throws MalformedEventException {
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      Object value;
      try {
        value = component.getAccessor().invoke(record);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("a public record's component can be read", e);
      }
      if (value == null && !component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
        throw new MalformedEventException(
            "a " + record.getClass().getSimpleName() + " without '" + component.getName() + "'");
      }
      if (value instanceof Iterable<?> values) {
        for (Object element : values) {
          if (element instanceof Record nested) {
            complete(nested);
          }
        }
      } else if (value instanceof Record nested
          && nested.getClass().getPackage() == record.getClass().getPackage()) {
        complete(nested);
      }
    }
  }
}

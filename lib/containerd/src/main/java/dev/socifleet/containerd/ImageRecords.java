package dev.socifleet.containerd;

import com.google.protobuf.FieldMask;
import dev.socifleet.containerd.images.v1.CreateImageRequest;
import dev.socifleet.containerd.images.v1.GetImageRequest;
import dev.socifleet.containerd.images.v1.GetImageResponse;
import dev.socifleet.containerd.images.v1.Image;
import dev.socifleet.containerd.images.v1.ImagesGrpc;
import dev.socifleet.containerd.images.v1.ListImagesRequest;
import dev.socifleet.containerd.images.v1.UpdateImageRequest;
import dev.socifleet.containerd.types.Descriptor;
import io.grpc.Channel;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** containerd's names of images, in one namespace. Thread-safe. */
public final class ImageRecords {
  private final ImagesGrpc.ImagesBlockingV2Stub images;

  /**
   * @param calls in a namespace
   */
  public ImageRecords(Channel calls) {
    images = ImagesGrpc.newBlockingV2Stub(calls);
  }

  /** Lets a name point at this content; an image that has it already keeps its labels. */
  public void put(String name, Descriptor target) throws ContainerdException {
    Image image = Image.newBuilder().setName(name).setTarget(target).build();
    String action = "name image " + name + " in containerd";
    try {
      var _ =
          Calls.call(
              action,
              () ->
                  images
                      .withDeadlineAfter(Calls.SOON)
                      .create(CreateImageRequest.newBuilder().setImage(image).build()));
    } catch (ContainerdException e) {
      if (e.code() != Status.Code.ALREADY_EXISTS) {
        throw e;
      }
      var _ =
          Calls.call(
              action,
              () ->
                  images
                      .withDeadlineAfter(Calls.SOON)
                      .update(
                          UpdateImageRequest.newBuilder()
                              .setImage(image)
                              .setUpdateMask(FieldMask.newBuilder().addPaths("target"))
                              .build()));
    }
  }

  /** The image of exactly this name. */
  public Optional<Image> find(String name) throws ContainerdException {
    return Calls.find(
            "look for image " + name + " in containerd",
            () ->
                images
                    .withDeadlineAfter(Calls.SOON)
                    .get(GetImageRequest.newBuilder().setName(name).build()))
        .map(GetImageResponse::getImage);
  }

  /** Every image of the namespace. */
  public List<Image> list() throws ContainerdException {
    return Calls.call(
            "list the images in containerd",
            () -> images.withDeadlineAfter(Calls.SOON).list(ListImagesRequest.getDefaultInstance()))
        .getImagesList();
  }

  /** Sets labels of an image; the others stay. */
  public void label(String name, Map<String, String> labels) throws ContainerdException {
    FieldMask.Builder mask = FieldMask.newBuilder();
    labels.keySet().forEach(key -> mask.addPaths("labels." + key));
    UpdateImageRequest request =
        UpdateImageRequest.newBuilder()
            .setImage(Image.newBuilder().setName(name).putAllLabels(labels))
            .setUpdateMask(mask)
            .build();
    var _ =
        Calls.call(
            "label image " + name + " in containerd",
            () -> images.withDeadlineAfter(Calls.SOON).update(request));
  }
}

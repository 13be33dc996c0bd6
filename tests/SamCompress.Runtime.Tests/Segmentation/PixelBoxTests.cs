using SamCompress.Runtime.Segmentation;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class PixelBoxTests
{
    private static readonly PixelBox Square = new(0, 0, 10, 10);

    [Fact]
    public void Divides_intersection_by_union()
    {
        Assert.Equal(50.0 / 150, PixelBox.Iou(Square, new PixelBox(5, 0, 15, 10)), 12);
        Assert.Equal(0, PixelBox.Iou(Square, new PixelBox(10, 10, 20, 20)));
        Assert.Equal(1, PixelBox.Iou(Square, Square));
        Assert.True(double.IsNaN(PixelBox.Iou(new PixelBox(3, 3, 3, 9), new PixelBox(3, 3, 3, 9))));
    }

    /// <summary>
    /// (0,0,10,10) and (0,0,10,8) have an IoU of 0.8, (0,0,10,10) and (0,0,10,7) one of 0.7, which is not above 0.7; (0,0,10,8) and (0,0,10,7) one of 0.875.
    /// What is suppressed suppresses nothing itself.
    /// </summary>
    [Fact]
    public void Keeps_the_best_of_boxes_that_are_alike()
    {
        PixelBox[] boxes = [new(0, 0, 10, 7), new(0, 0, 10, 8), Square, new(50, 50, 60, 60)];
        Assert.Equal([3, 2, 0], PixelBox.Suppress(boxes, [0.5, 0.7, 0.9, 1], 0.7));
        Assert.Equal([1, 3], PixelBox.Suppress(boxes, [0.5, 0.9, 0.7, 0.1], 0.7));
    }

    [Fact]
    public void Keeps_the_first_of_equal_boxes_and_all_without_area()
    {
        Assert.Equal([0], PixelBox.Suppress([Square, Square], [0.5, 0.5], 0.7));
        Assert.Equal([0, 1], PixelBox.Suppress([new PixelBox(1, 1, 1, 5), new PixelBox(1, 1, 1, 5)], [0.5, 0.5], 0.7));
        Assert.Empty(PixelBox.Suppress([], [], 0.7));
    }
}

using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Runtime.Training;

namespace SamCompress.Runtime.Tests.Training;

public sealed class TrainingPicturesTests
{
    private static readonly ImageSet Two = ImageSet.Of([TestPictures.Scene(0), TestPictures.Scene(1)]);
    private static readonly Preprocessing Small = new(64, PixelLayout.ChannelsFirst);

    [Fact]
    public void Shows_pictures_as_the_encoder_sees_them_without_augmentation()
    {
        using var loader = new ImageLoader(Small);
        using var pictures = new TrainingPictures(Two, Small, augmentation: null);
        using EncoderImage expected = loader.Load(TestPictures.Scene(1));
        using RuntimeTensor input = pictures.Show(1, seed: 5).Input;
        Assert.Equal(expected.Input.ToArray<float>(), input.ToArray<float>());
    }

    [Theory]
    [InlineData(1L << 30)]
    [InlineData(0)]
    public void Varies_by_seed_and_not_by_what_was_seen_before(long maxKeptBytes)
    {
        using var pictures = new TrainingPictures(Two, Small, new Augmentation(), maxKeptBytes);
        float[] Of(int picture, ulong seed)
        {
            using RuntimeTensor input = pictures.Show(picture, seed).Input;
            return input.ToArray<float>();
        }

        float[] first = Of(0, 1);
        Assert.NotEqual(first, Of(0, 2));
        Assert.NotEqual(first, Of(1, 1));
        Assert.Equal(first, Of(0, 1));
    }
}

using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Training;

public sealed class HardPromptsTests
{
    private const int Frame = 16;
    private const int Points = HardPrompts.PointCount;

    /// <summary>Two prompts, each answered by one mask of 4 x 4: the embedding itself.</summary>
    private const string Decoder = """
        decoder (float[1,1,4,4] image_embeddings, float[2,5,2] point_coords, float[2,5] point_labels) => (float[2,1,4,4] masks)
        <float zero = {0}, int64[1] one = {1}, int64[1] last = {2}, int64[4] shape = {2, 1, 1, 1}>
        {
            x = ReduceSum <keepdims = 0> (point_coords, last)
            l = Add (x, point_labels)
            rows = ReduceSum <keepdims = 0> (l, one)
            none = Mul (rows, zero)
            nothing = Reshape (none, shape)
            masks = Add (image_embeddings, nothing)
        }
        """;

    /// <summary>The teacher's mask is the left half, that of the student the upper half: a next point is left below, inside, or right above, outside.</summary>
    [Fact]
    public void The_first_point_is_inside_and_the_next_ones_where_the_student_is_wrong()
    {
        using Model decoder = Parse();
        using var prompts = new HardPrompts(decoder, Frame, SessionSettings.Default);
        using RuntimeTensor teacher = Mask((x, _) => x < 2);
        var counts = new HashSet<int>();
        for (ulong seed = 0; seed < 40; seed++)
        {
            bool wasAsked = false;
            AskedMasks asked = prompts.Ask(teacher, () => { wasAsked = true; return Mask((_, y) => y < 2); }, Whole, new SplitMix64(seed), default);
            float[] points = asked.Points.ToArray<float>(), labels = asked.Labels.ToArray<float>();
            int count = labels.Take(Points).Count(l => l >= 0);
            counts.Add(count);
            Assert.Equal(count > 1, wasAsked);
            for (int place = 0; place < 2 * Points; place++)
            {
                (float x, float y, int point) = (points[2 * place], points[(2 * place) + 1], place % Points);
                (bool isLeft, bool isAbove) = (x < 8, y < 8);
                Assert.Equal(point >= count ? -1 : isLeft ? 1 : 0, labels[place]);
                Assert.True(point >= count || (point == 0 ? isLeft : isLeft != isAbove), $"point {point} at {x}, {y}");
            }

            Assert.All(asked.Masks.ToArray<float>().Zip(teacher.ToArray<float>().Concat(teacher.ToArray<float>())), p => Assert.Equal(1 / (1 + Math.Exp(-p.Second)), p.First, 1e-6));
        }

        Assert.Equal([1, 2, 3, 4], counts.Order());
    }

    [Fact]
    public void A_student_that_is_right_is_asked_no_more()
    {
        using Model decoder = Parse();
        using var prompts = new HardPrompts(decoder, Frame, SessionSettings.Default);
        using RuntimeTensor teacher = Mask((x, _) => x < 2);
        for (ulong seed = 0; seed < 10; seed++)
        {
            AskedMasks asked = prompts.Ask(teacher, () => Mask((x, _) => x < 2), Whole, new SplitMix64(seed), default);
            Assert.Equal([1, -1, -1, -1, -1, 1, -1, -1, -1, -1], asked.Labels.ToArray<float>());
        }
    }

    /// <summary>Half of the frame shows the picture; the mask goes on into the padding, where nobody points.</summary>
    [Fact]
    public void No_point_is_in_the_padding()
    {
        using Model decoder = Parse();
        using var prompts = new HardPrompts(decoder, Frame, SessionSettings.Default);
        using RuntimeTensor teacher = Mask((_, _) => true);
        for (ulong seed = 0; seed < 20; seed++)
        {
            AskedMasks asked = prompts.Ask(teacher, null, new ShownPicture(teacher, 1, 0.5), new SplitMix64(seed), default);
            Assert.InRange(asked.Points.ToArray<float>()[1], 0, 8);
        }
    }

    private static ShownPicture Whole => new(RuntimeTensor.Scalar(0f), 1, 1);

    private static Model Parse() => ModelText.Parse(Decoder, 17);

    private static RuntimeTensor Mask(Func<int, int, bool> isInside) =>
        RuntimeTensor.Of([.. Enumerable.Range(0, 16).Select(i => isInside(i % 4, i / 4) ? 3f : -2f)], 1, 1, 4, 4);
}

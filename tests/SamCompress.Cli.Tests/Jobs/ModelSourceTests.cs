using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Jobs;

public sealed class ModelSourceTests
{
    public static TheoryData<string> Encoders => [.. SkeletonModels.Names.Where(n => n.EndsWith("encoder", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Encoders))]
    public void What_a_run_of_an_encoder_takes_is_known_as_it_was_exported(string name)
    {
        using Model model = SkeletonModels.Open(name);

        Assert.True(ModelSource.MemoryBytes(model) > OnnxWriter.TensorBytes(model));
        Assert.All(model.Graph.Initializers, i => Assert.NotNull(i.Initializer));
    }

    /// <summary>SAM's global attention has logits of 12 heads and 4096 x 4096 tokens in floats, and Softmax makes as many.</summary>
    [Fact]
    public void The_largest_activations_are_counted()
    {
        using Model model = SkeletonModels.Open("sam_b_encoder");

        Assert.True(ModelSource.MemoryBytes(model) >= OnnxWriter.TensorBytes(model) + (2L * 12 * 4096 * 4096 * sizeof(float)));
    }

    [Fact]
    public void Of_a_decoder_for_any_number_of_points_it_is_not_known()
    {
        using Model model = SkeletonModels.Open("sam_decoder");

        Assert.Null(ModelSource.MemoryBytes(model));
    }
}

using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Attention;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Training;

public sealed class TrainableModelTests
{
    /// <summary>By hand: patches 16 x 16 x 3 of 192 channels, a place for each of 16 x 16 tokens, and of each block norms, four Linears and two tables of 13 x 32 (windows of 7). Twice the places in a window, and in the map, are no weights, but as much a part of the blocks.</summary>
    private const long Start = (16 * 16 * 3 * 192) + 192 + (16 * 16 * 192) + (2 * 7), Block = (4 * 192) + (192 * 576) + 576 + (192 * 192) + 192 + (192 * 768) + 768 + (768 * 192) + 192 + (2 * 13 * 32);

    [Theory]
    [InlineData(2, 2)]
    [InlineData(5, 5)]
    public void Blocks_before_the_first_rewritten_attention_are_unchanged(int rewritten, int blocks)
    {
        using Model teacher = Sample(), student = Sample();
        Rewrite(student, rewritten);
        long global = blocks > 2 ? (2 * (31 - 13) * 32) + (2 * 16) : 0;
        Assert.Equal(Start + (blocks * Block) + global, Unchanged(student, teacher));
    }

    /// <summary>What a rewrite wrote to a file has its tables gathered, which the teacher computes from shorter ones.</summary>
    [Fact]
    public void Tables_may_be_stored_as_they_are_read()
    {
        using Model teacher = Sample(), student = Sample();
        Rewrite(student, 5, foldingBudget: 1 << 19);
        Assert.InRange(Unchanged(student, teacher), Start + (5 * Block), Start + (6 * Block));
    }

    [Fact]
    public void Nothing_is_unchanged_behind_another_weight_of_the_first_layer()
    {
        using Model teacher = Sample(), student = Sample();
        Rewrite(student, 5);
        Value first = student.Graph.Nodes.First(n => n.Is("Conv")).Input(1)!;
        student.Graph.SetInitializer(first, Tensor.Of(Array.ConvertAll(first.Initializer!.ToArray<float>(), w => w * 1.01f), first.Initializer.Dimensions.AsSpan()));
        Assert.Equal(0, Unchanged(student, teacher));
    }

    [Fact]
    public void A_student_that_is_its_teacher_is_trained_as_a_whole()
    {
        using Model teacher = Sample(), student = Sample();
        Assert.Equal(0, Unchanged(student, teacher));
    }

    private static long Unchanged(Model student, Model teacher)
    {
        TrainableModel.Prepare(student);
        TrainableModel.Prepare(teacher);
        return TrainableModel.UnchangedWeights(student, teacher).Where(v => v.Initializer!.ElementType == ElementType.Float && v.Initializer.Count > 1).Sum(v => v.Initializer!.Count);
    }

    private static void Rewrite(Model student, int block, long foldingBudget = 0) => new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Rewrite(new DilateAttention(new AttentionSelection([block]), 2))])
        .Run(student, new PassContext { Evaluator = new OnnxConstantEvaluator(), FoldingBudget = foldingBudget });

    private static Model Sample() => OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));
}

using SamCompress.Passes.Recipes;

namespace SamCompress.Passes.Tests.Recipes;

public sealed class RecipeTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_recipes_are_built_in()
    {
        Assert.Equal(["balanced", "int8", "lightning", "linear", "low-rank", "slim-50", "slim-77", "tiny-int8"], Recipe.BuiltIn);
        Assert.All(Recipe.BuiltIn, name => Assert.Equal(name, Recipe.Load(name).Name));
    }

    [Fact]
    public void Every_field_is_read()
    {
        Recipe recipe = Recipe.Load(Write("""
            {
              "name": "own", "description": "mine", // with a comment
              "rewrites": [
                { "kind": "dilatedAttention", "interval": 4, "segment": 64, "blocks": [2, 5], "repair": false },
                { "kind": "lowRankPosition", "rank": 8, "blocks": "global" },
                { "kind": "linearAttention", "multiScale": true, "blocks": "auto", "minMiou": 0.9 },
                { "kind": "dilatedAttention", "interval": 2, "axes": "rows", "localKernel": 3 }
              ],
              "quantize": { "precision": "w4a8", "target": "qdq", "calibrationMethod": "minmax", "decoderPrecision": "w8a8", "nodesToExclude": ["*lin2*"], "equalize": false },
              "gates": { "minMiou": 0.8, "maxDrop": 0.3 }
            }
            """));

        Assert.Equal(["dilated attention, interval 4, segments of 64", "low-rank positions, rank 8", "linear attention of two scales", "dilated attention, interval 2 of rows, neighbours mixed by 3 x 3"], recipe.Rewrites.Select(r => r.ToString()));
        Assert.Equal(["2,5", "global", "auto", "global"], recipe.Rewrites.Select(r => r.Blocks.ToString()));
        Assert.Equal([false, true, true, true], recipe.Rewrites.Select(r => r.Repair));
        Assert.Equal(("w4a8", "qdq", "minmax", "w8a8", "*lin2*", false), (recipe.Quantize.Precision, recipe.Quantize.Target, recipe.Quantize.CalibrationMethod, recipe.Quantize.DecoderPrecision, Assert.Single(recipe.Quantize.NodesToExclude), recipe.Quantize.Equalize));
        Assert.Equal((0.9, 0.8, 0.3), (recipe.Rewrites[2].MinMiou, recipe.Gates.MinMiou, recipe.Gates.MaxDrop));
    }

    [Theory]
    [InlineData("""{ "kind": "linearAttention", "interval": 2 }""", "$.rewrites[0]: interval, segment and axes belong to dilatedAttention")]
    [InlineData("""{ "kind": "linearAttention", "axes": "rows" }""", "$.rewrites[0]: interval, segment and axes belong to dilatedAttention")]
    [InlineData("""{ "kind": "dilatedAttention", "interval": 2, "segment": 64, "axes": "rows" }""", "$.rewrites[0]: segment and axes exclude each other")]
    [InlineData("""{ "kind": "lowRankPosition", "localKernel": 3 }""", "$.rewrites[0]: localKernel belongs to dilatedAttention and linearAttention")]
    [InlineData("""{ "kind": "linearAttention", "localKernel": 4 }""", "$.rewrites[0]: localKernel must be an odd number from 3 to 15")]
    [InlineData("""{ "kind": "dilatedAttention", "interval": 2, "multiScale": true }""", "$.rewrites[0]: multiScale belongs to linearAttention")]
    [InlineData("""{ "kind": "dilatedAttention" }""", "$.rewrites[0]: dilatedAttention needs an interval from 2 to 64")]
    [InlineData("""{ "kind": "dilatedAttention", "interval": 2, "rank": 8 }""", "$.rewrites[0]: error and rank belong to lowRankPosition")]
    [InlineData("""{ "kind": "lowRankPosition", "error": 0 }""", "$.rewrites[0]: error must be over 0")]
    [InlineData("""{ "kind": "lowRankPosition", "error": 0.1, "rank": 8 }""", "$.rewrites[0]: error and rank exclude each other")]
    [InlineData("""{ "kind": "linearAttention", "blocks": "auto" }""", "$.rewrites[0]: the blocks \"auto\" need minMiou, or a gate")]
    [InlineData("""{ "kind": "linearAttention", "minMiou": 0.9 }""", "$.rewrites[0]: minMiou belongs to the blocks \"auto\"")]
    [InlineData("""{ "kind": "linearAttention", "blocks": "some" }""", "blocks are \"global\", \"auto\" or a list of numbers")]
    [InlineData("""{ "kind": "linearAttention", "blocks": [] }""", "the list of blocks is empty")]
    [InlineData("""{ "kind": "linearAttention", "blocks": [-1] }""", "whole numbers from 0 on")]
    [InlineData("""{ "kind": "magic" }""", "$.rewrites[0].kind")]
    [InlineData("""{ "blocks": [1] }""", "kind")]
    [InlineData("""{ "kind": "linearAttention", "kind": "linearAttention" }""", "kind")]
    public void A_wrong_step_is_one_line_that_says_where(string step, string message) => AssertRefused($$"""{ "name": "a", "description": "b", "rewrites": [{{step}}], "quantize": {} }""", message);

    [Theory]
    [InlineData("""{ "name": "a", "description": "b" }""", "quantize")]
    [InlineData("""{ "name": "a", "description": "b", "quantize": { "precision": "int3" } }""", "precision 'int3' is none of w8a8, w6a6, w4a16, w4a8")]
    [InlineData("""{ "name": "a", "description": "b", "quantize": { "calibrationMethod": "magic" } }""", "calibrationMethod 'magic' is none of")]
    [InlineData("""{ "name": "a", "description": "b", "quantize": {}, "gates": { "minMiou": 2 } }""", "$.gates: gates are numbers from 0 to 1")]
    [InlineData("""{ "name": "a", "description": "b", "quantize": {}, "seed": 1 }""", "seed")]
    [InlineData("""{ "name": "x/../../elsewhere", "description": "b", "quantize": {} }""", "$.name: a name is 1 to 64 letters")] // a file would be called by it
    [InlineData("""{ "name": "a\u0000", "description": "b", "quantize": {} }""", "$.name: a name is 1 to 64 letters")]
    [InlineData("""{ "name": "", "description": "b", "quantize": {} }""", "$.name: a name is 1 to 64 letters")]
    [InlineData("null", "the file holds null")]
    [InlineData("{ \"name\": ", "JSON")]
    public void A_wrong_recipe_is_one_line_that_says_where(string text, string message) => AssertRefused(text, message);

    [Fact]
    public void The_line_of_an_unknown_field_is_said()
    {
        string path = Write("{\n  \"name\": \"a\",\n  \"colour\": 1\n}\n");

        Assert.StartsWith($"{path}(3,", Assert.Throws<SamCompressException>(() => Recipe.Load(path)).Location, StringComparison.Ordinal);
    }

    private void AssertRefused(string text, string message)
    {
        SamCompressException e = Assert.Throws<SamCompressException>(() => Recipe.Load(Write(text)));

        Assert.Equal(FailureKind.Usage, e.Kind);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private string Write(string text)
    {
        string path = Path.Combine(_directory.FullName, "own.json");
        File.WriteAllText(path, text);
        return path;
    }
}

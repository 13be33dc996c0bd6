using System.Text.Json;
using System.Text.Json.Nodes;
using SamCompress.Passes.Recipes;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Recipes;

/// <summary>The schema of recipes is what is read as one, and the built-in recipes keep to it.</summary>
public sealed class RecipeSchemaTests
{
    private static readonly Dictionary<Type, string> Special = new()
    {
        [typeof(BlockChoice)] = """{ "anyOf": [{ "enum": ["global", "auto"] }, { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 1 }] }""",
    };

    public static TheoryData<string> BuiltIn => [.. Recipe.BuiltIn];

    [Fact]
    public void The_published_schema_is_that_of_the_record() => JsonSchemaFile.AssertCurrent("recipe", typeof(Recipe), ShippedData.Json, isWritten: false, Special);

    [Theory]
    [MemberData(nameof(BuiltIn))]
    public void Built_in_recipes_keep_to_it_and_name_it(string name)
    {
        string path = Path.Combine(SkeletonModels.RepositoryRoot, "recipes", name + ".json");
        JsonNode recipe = JsonNode.Parse(File.ReadAllText(path), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!;

        Assert.Empty(JsonSchemaCheck.Violations(JsonSchemaFile.Read("recipe"), recipe));
        Assert.Equal(Path.Combine(JsonSchemaFile.Folder, "recipe.schema.json"), Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, recipe["$schema"]!.GetValue<string>())));
    }

    [Fact]
    public void What_is_refused_breaks_the_schema_too()
    {
        const string recipe = """{ "name": "mine", "description": "", "quantize": { "preciseness": "w8a8" }, "rewrites": [{ "kind": "magic" }, { "kind": "linearAttention", "blocks": [] }] }""";

        Assert.Equal(3, JsonSchemaCheck.Violations(JsonSchemaFile.Read("recipe"), JsonNode.Parse(recipe)).Count);
    }
}

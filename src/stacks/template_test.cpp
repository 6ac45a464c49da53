#include "stacks/template.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/text.h"
#include "stacks/errors.h"
#include "stacks/evaluate.h"

namespace redoubt::stacks {
namespace {

std::string problem(std::string_view text) {
  auto t = parse_template(text);
  return t ? "" : t.error().message;
}

struct Case {
  const char* yaml;
  const char* message;
};

TEST(Template, SaysWhatIsWrongInCloudFormationsWords) {
  const Case cases[] = {
      {"Description: x\n", "Template format error: At least one Resources member must be defined."},
      {"AWSTemplateFormatVersion: '20-09-09'\nResources: {A: {Type: T}}\n",
       "Template format error: 20-09-09 is not a supported value for AWSTemplateFormatVersion."},
      {"AWSTemplateFormatVersion: 2010-09-09\nResources: {A: {Type: T}}\n", ""},
      {"Resources: {A: {Type: T}}\nFoo: 1\nBar: 2\n", "Invalid template property or properties [Foo, Bar]"},
      {"Resources: {A-B: {Type: T}}\n", "Template format error: Resource name A-B is non alphanumeric."},
      {"Resources: {A: {Properties: {}}}\n",
       "Template format error: [/Resources/A] Every Resources object must contain a Type member."},
      {"Resources: {A: {Type: T, Foo: 1}}\n", "Invalid template resource property 'Foo'"},
      {"Resources: {A: {Type: T, Properties: {P: }}}\n",
       "Template format error: [/Resources/A/Properties/P] 'null' values are not allowed in templates"},
      {"Resources: {A: {Type: T, DeletionPolicy: Keep}}\n",
       "Template format error: Unrecognized DeletionPolicy Keep for resource \"A\""},
      {"Resources: {A: {Type: T, CreationPolicy: {}}}\n",
       "Template format error: the resource attribute CreationPolicy is not supported"},
      {"Resources: {A: {Type: T, Properties: {P: !Ref X}}}\n",
       "Template format error: Unresolved resource dependencies [X] in the Resources block of the template"},
      {"Resources: {A: {Type: T, Properties: {P: !Sub '${X} ${Y.Z}'}}}\n",
       "Template format error: Unresolved resource dependencies [X] in the Resources block of the template"},
      {"Resources: {A: {Type: T, DependsOn: X}}\n",
       "Template format error: Unresolved resource dependencies [X] in the Resources block of the template"},
      {"Resources: {A: {Type: T, Properties: {P: !GetAtt X.Arn}}}\n",
       "Template error: instance of Fn::GetAtt references undefined resource X"},
      {"Resources: {A: {Type: T, Condition: C}}\n",
       "Template format error: Unresolved condition dependency C in the Resources block of the template"},
      {"Resources: {A: {Type: T}}\nConditions: {C: !Equals [!Ref A, x]}\n",
       "Template format error: Unresolved dependencies [A]. Cannot reference resources in the Conditions block of the template"},
      {"Resources: {A: {Type: T}}\nConditions: {C: !Not [!Condition D], D: !Not [!Condition C]}\n",
       "Template format error: Found circular condition dependency between [C, D]"},
      {"Resources: {A: {Type: T}}\nOutputs: {O: {Value: !Ref B}}\n",
       "Template format error: Unresolved resource dependencies [B] in the Outputs block of the template"},
      {"Resources: {A: {Type: T}}\nOutputs: {O: {Description: x}}\n",
       "Template format error: Every Outputs member must contain a Value object"},
      {"Resources: {A: {Type: T}}\nOutputs: {O: {Value: x, Export: {Name: !Ref A}}}\n",
       "Template error: Output O is malformed. The Name field of every Export member must not depend on any resources."},
      {"Resources: {A: {Type: T, Properties: {P: {'Fn::Foo': x}}}}\n",
       "Template format error: Encountered unsupported function: Fn::Foo Supported functions are: [Fn::Base64, Fn::Cidr, "
       "Fn::FindInMap, Fn::GetAtt, Fn::GetAZs, Fn::If, "
       "Fn::ImportValue, Fn::Join, Fn::Select, Fn::Split, Fn::Sub, Fn::Equals, Fn::And, Fn::Or, Fn::Not]"},
      {"Resources: {A: {Type: T, Properties: {P: {Ref: B, Q: 1}}}, B: {Type: T}}\n",
       "Template error: a function must be the only member of its object, but Ref has company"},
      {"Resources: {A: {Type: T, Properties: {P: !Join [a]}}}\n",
       "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be "
       "joined or a function that returns a list of "
       "strings (such as Fn::GetAZs) to be joined."},
      {"Resources: {A: {Type: T, Properties: {P: !Sub '${a-b}'}}}\n",
       "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and "
       "colons"},
      {"Resources: {A: {Type: T, Properties: {P: !Ref B}}, B: {Type: T, DependsOn: C}, C: {Type: T, Properties: {P: !GetAtt "
       "A.X}}, D: {Type: T}, E: {Type: T, DependsOn: A}}\n",
       "Circular dependency between resources: [A, B, C]"},
      {"Resources: {A: {Type: T, Properties: {P: !Ref A}}}\n", "Circular dependency between resources: [A]"},
      {"Resources: {A: {Type: T}}\nParameters: {P: {Default: x}}\n",
       "Template format error: Every Parameters object must contain a Type member."},
      {"Resources: {A: {Type: T}}\nParameters: {P: {Type: Strin}}\n",
       "Template format error: Unrecognized parameter type: Strin"},
      {"Resources: {A: {Type: T}}\nParameters: {P: {Type: String, Foo: 1}}\n", "Invalid template parameter property 'Foo'"},
      {"Resources: {A: {Type: T}}\nParameters: {p_x: {Type: String}}\n",
       "Template format error: Parameter name p_x is non alphanumeric."},
      {"Resources: {A: {Type: T}}\nRules: {}\n", "Template format error: the section Rules is not supported"},
      {"Resources: {A: {Type: T}}\nTransform: AWS::Serverless-2016-10-31\n",
       "The transform AWS::Serverless-2016-10-31 is not supported"},
      {"Resources: {A: {Type: T, Properties: {P: !Transform {Name: X}}}}\n", nullptr},
      {"- a\n- b\n", "Template format error: unsupported structure."},
  };
  for (auto& c : cases) {
    if (c.message)
      EXPECT_EQ(problem(c.yaml), c.message) << c.yaml;
    else
      EXPECT_NE(problem(c.yaml), "") << c.yaml;
  }
  std::string many = "Resources:\n";
  for (int i = 0; i < 501; ++i) many += "  R" + std::to_string(i) + ": {Type: T}\n";
  EXPECT_EQ(problem(many), "Template format error: Number of resources, 501, is greater than maximum allowed, 500");
}

TEST(Template, OrderFollowsReferencesAndElseTheTemplate) {
  auto t = parse_template(
      "Resources:\n  P: {Type: T, Properties: {B: !Ref K}}\n  A: {Type: T}\n  K: {Type: T, DependsOn: [Z]}\n  Z: {Type: T}\n"
      "  S: {Type: T, Properties: {X: !Sub '${A.Arn}', Y: !If [C, !GetAtt Z.Q, x]}}\nConditions: {C: !Equals [a, a]}\n");
  ASSERT_TRUE(t) << t.error().message;
  EXPECT_EQ(join(t->order(), " "), "Z K P A S");
  EXPECT_EQ(join(t->dependencies(*t->resource("S")), " "), "A Z");
}

TEST(Template, LongChainsAreOrderedQuickly) {
  std::string text = "Resources:\n";
  for (int i = 0; i < 500; ++i)
    text += "  R" + std::to_string(i) + (i < 499 ? ": {Type: T, DependsOn: R" + std::to_string(i + 1) + "}\n" : ": {Type: T}\n");
  auto t = parse_template(text);
  ASSERT_TRUE(t);
  EXPECT_EQ(t->order().front(), "R499");
}

// ---- parameters

std::string parameter(std::string_view declaration, std::vector<GivenParameter> given) {
  auto t = parse_template("Resources: {A: {Type: T}}\nParameters: {P: " + std::string(declaration) + "}\n");
  if (!t) return t.error().message;
  auto v = resolve_parameters(*t, given, {{"P", "before"}});
  return v ? "=" + (*v)["P"] : v.error().message;
}

TEST(Parameters, ValuesAreHeldAgainstTheirConstraints) {
  auto give = [](std::string_view declaration, std::string value) {
    return parameter(declaration, {{"P", std::move(value), false}});
  };
  EXPECT_EQ(parameter("{Type: String}", {}), "Parameters: [P] must have values");
  EXPECT_EQ(parameter("{Type: String, Default: 2010-09-09}", {}), "=2010-09-09");
  EXPECT_EQ(parameter("{Type: String, Default: true}", {}), "=true");
  EXPECT_EQ(parameter("{Type: String}", {{"P", "x"}, {"Y", "z"}}), "Parameters: [Y] do not exist in the template");
  EXPECT_EQ(parameter("{Type: String}", {{"P", "x"}, {"P", "z"}}), "Duplicate parameter keys [P]");
  EXPECT_EQ(parameter("{Type: String}", {{"P", std::nullopt, true}}), "=before");
  EXPECT_EQ(give("{Type: String, AllowedValues: [a, b]}", "c"), "Parameter 'P' must be one of AllowedValues");
  EXPECT_EQ(give("{Type: String, AllowedPattern: '[a-z]+'}", "abc1"), "Parameter P must match pattern [a-z]+");
  EXPECT_EQ(give("{Type: String, AllowedPattern: '[a-z]+'}", "abc"), "=abc");
  EXPECT_EQ(give("{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower case only}", "X"),
            "Parameter P failed to satisfy constraint: lower case only");
  EXPECT_EQ(give("{Type: String, MinLength: 8, NoEcho: true}", "secret"), "Parameter 'P' must contain at least 8 characters");
  EXPECT_EQ(give("{Type: String, MaxLength: '3'}", "four"), "Parameter 'P' must contain at most 3 characters");
  EXPECT_EQ(give("{Type: Number, MinValue: 3}", "2"), "Parameter 'P' must be a number not less than 3");
  EXPECT_EQ(give("{Type: Number, MaxValue: 3}", "3.5"), "Parameter 'P' must be a number not greater than 3");
  EXPECT_EQ(give("{Type: Number}", "12x"), "Parameter 'P' must be a number");
  EXPECT_EQ(give("{Type: List<Number>}", "1, 2,x"), "Parameter 'P' must be a number");
  EXPECT_EQ(give("{Type: CommaDelimitedList, AllowedValues: [a, b]}", "a, b,a"), "=a, b,a");
  EXPECT_EQ(give("{Type: String, AllowedPattern: '(?!x).*'}", "abc").substr(0, 62),
            "Template format error: the AllowedPattern of parameter P is ma");
  EXPECT_EQ(give("{Type: String, AllowedPattern: '(a*)*b'}", std::string(4000, 'a')), "Parameter P must match pattern (a*)*b");
  EXPECT_EQ(give("{Type: String}", std::string(4097, 'x')), "Template parameter 'P' must be at most 4096 bytes");
}

// ---- evaluation

class Evaluation : public ::testing::Test {
 protected:
  std::string run(std::string_view expression, std::string_view rest = "") {
    auto t = parse_template(
        "Parameters: {Tenant: {Type: String}, Zones: {Type: CommaDelimitedList}, Count: {Type: Number}}\n"
        "Mappings: {Sizes: {eu: {Small: 1, Names: [a, b]}}}\n"
        "Conditions: {Yes: !Equals [!Ref Tenant, team1], No: !Not [!Condition Yes]}\n"
        "Resources: {A: {Type: T}, B: {Type: T, Properties: {P: " +
        std::string(expression) + "}}}\n" + std::string(rest));
    if (!t) return "? " + t.error().message;
    Environment env;
    env.t = &*t;
    env.parameters = parameters_;
    env.account = "111122223333";
    env.region = "eu-central-1";
    env.stack_name = "s";
    env.stack_id = "arn:aws:cloudformation:eu-central-1:111122223333:stack/s/u";
    auto conditions = resolve_conditions(env);
    if (!conditions) return "! " + conditions.error().message;
    env.conditions = *conditions;
    env.ref = [](const std::string& id) -> Result<Json> { return Json("id-of-" + id); };
    env.get_att = [](const std::string& id, const std::string& a) -> Result<Json> { return Json(id + "!" + a); };
    env.import_value = [](const std::string& name) -> Result<std::string> {
      if (name != "exported-team1") return invalid("No export named " + name + " found. Rollback requested by user.");
      return "imported";
    };
    auto v = evaluate(t->resource("B")->properties, env);
    if (!v) return "! " + v.error().message;
    return (*v)->has("P") ? (**v)["P"].dump() : "absent";
  }
  std::map<std::string, std::string> parameters_{{"Tenant", "team1"}, {"Zones", "x, y,z"}, {"Count", "3"}};
};

TEST_F(Evaluation, EveryFunction) {
  EXPECT_EQ(run("!Ref A"), R"("id-of-A")");
  EXPECT_EQ(run("!Ref Tenant"), R"("team1")");
  EXPECT_EQ(run("!Ref Zones"), R"(["x","y","z"])");
  EXPECT_EQ(run("!Ref AWS::AccountId"), R"("111122223333")");
  EXPECT_EQ(run("[1, !Ref AWS::NoValue, 2]"), "[1,2]");
  EXPECT_EQ(run("!Ref AWS::NoValue"), "absent");
  EXPECT_EQ(run("!GetAtt A.Endpoint.Address"), R"("A!Endpoint.Address")");
  EXPECT_EQ(run("!Sub '${Tenant}-data-${AWS::AccountId}-${AWS::Region}'"), R"("team1-data-111122223333-eu-central-1")");
  EXPECT_EQ(run("!Sub 'a${!Keep}b${A.Arn}${ A }$x${'"), R"("a${Keep}bA!Arnid-of-A$x${")");
  EXPECT_EQ(run("!Sub ['${x}/${Tenant}/${y}', {x: !GetAtt A.Q, y: 5}]"), R"("A!Q/team1/5")");
  EXPECT_EQ(run("!Join ['-', [a, !Ref Tenant, 3]]"), R"("a-team1-3")");
  EXPECT_EQ(run("!Join ['+', !Ref Zones]"), R"("x+y+z")");
  EXPECT_EQ(run("!Select ['1', !Ref Zones]"), R"("y")");
  EXPECT_EQ(run("!Select [3, !Ref Zones]"), "! Template error: Fn::Select cannot select nonexistent value at index 3");
  EXPECT_EQ(run("!Select [-1, !Ref Zones]"), "! Template error: Fn::Select cannot select nonexistent value at index -1");
  EXPECT_EQ(run("!Split ['::', 'a::b::']"), R"(["a","b",""])");
  EXPECT_EQ(run("!FindInMap [Sizes, eu, Small]"), "1");
  EXPECT_EQ(run("!FindInMap [Sizes, eu, Names]"), R"(["a","b"])");
  EXPECT_EQ(run("!FindInMap [Sizes, !Ref Tenant, Small]"), "! Template error: Unable to get mapping for Sizes::team1::Small");
  EXPECT_EQ(run("!FindInMap [Other, eu, Small]"),
            "! Template error: Mapping named 'Other' is not present in the 'Mappings' section of template.");
  EXPECT_EQ(run("!If [Yes, !Sub 'x${Tenant}', !Ref AWS::NoValue]"), R"("xteam1")");
  EXPECT_EQ(run("!If [No, 1, !Ref AWS::NoValue]"), "absent");
  EXPECT_EQ(run("!ImportValue exported-team1"), R"("imported")");
  EXPECT_EQ(run("{'Fn::ImportValue': !Sub 'exported-${Tenant}'}"), R"("imported")");
  EXPECT_EQ(run("!ImportValue nope"), "! No export named nope found. Rollback requested by user.");
  EXPECT_EQ(run("{'Fn::ImportValue': !Ref A}").substr(0, 60), "? Template error: the attribute in Fn::ImportValue must not ");
  EXPECT_EQ(run("!Base64 abc"), R"("YWJj")");
  EXPECT_EQ(run("!GetAZs ''"), R"(["eu-central-1a","eu-central-1b","eu-central-1c"])");
  EXPECT_EQ(run("!Cidr ['10.0.0.0/16', 3, 8]"), R"(["10.0.0.0/24","10.0.1.0/24","10.0.2.0/24"])");
  EXPECT_EQ(run("!Cidr ['10.0.0.0/24', 4]"), R"(["10.0.0.0/26","10.0.0.64/26","10.0.0.128/26","10.0.0.192/26"])");
  EXPECT_EQ(run("!Cidr ['10.0.0.0/30', 256, 8]"), "! Template error: Fn::Cidr: 256 blocks of that size don't fit in 10.0.0.0/30");
  EXPECT_EQ(run("!Cidr ['nonsense', 1, 8]"), "! Template error: Fn::Cidr: the ipBlock is not a CIDR block");
  EXPECT_EQ(run("{'Fn::Length': !Ref Zones}").substr(0, 58), "? Template format error: Encountered unsupported function:");
  EXPECT_EQ(run("{'Fn::Length': !Ref Zones}", "Transform: AWS::LanguageExtensions\n"), "3");
  EXPECT_EQ(run("{'Fn::ToJsonString': {a: !Ref Tenant}}", "Transform: AWS::LanguageExtensions\n"), R"("{\"a\":\"team1\"}")");
  EXPECT_EQ(run("!FindInMap [Sizes, us, Small, {DefaultValue: 7}]", "Transform: AWS::LanguageExtensions\n"), "7");
  EXPECT_EQ(run("'{{resolve:secretsmanager:x}}'"), "! Template error: dynamic references ({{resolve:..}}) are not supported");
}

// A value that looks like template text stays text, wherever it is put.
TEST_F(Evaluation, ParametersCannotInjectStructure) {
  for (std::string attack : {R"({"Ref": "A"})", "${AWS::AccountId}", "!Ref A", "\", \"Effect\": \"Allow", "x\n  Injected: true",
                             "${A.Arn}", "*a", "<<", "a,b"}) {
    parameters_["Tenant"] = attack;
    EXPECT_EQ(run("!Ref Tenant"), Json(attack).dump());
    EXPECT_EQ(run("!Sub 'x${Tenant}y'"), Json("x" + attack + "y").dump());
    EXPECT_EQ(run("!Join ['', [!Ref Tenant]]"), Json(attack).dump());
    EXPECT_EQ(run("{Statement: {Resource: !Sub ['${T}', {T: !Ref Tenant}]}}"),
              R"({"Statement":{"Resource":)" + Json(attack).dump() + "}}");
  }
  for (std::string attack : {"{{resolve:ssm:/secret}}", "resolve:ssm:/secret}}"}) {
    parameters_["Tenant"] = attack;
    EXPECT_EQ(run("!Sub '{{${Tenant}'").find("secret") == std::string::npos || attack[0] == '{', true);
    EXPECT_TRUE(run("!Join ['{{', ['', !Ref Tenant]]").starts_with("! Template error: dynamic references")) << attack;
  }
}

TEST_F(Evaluation, AnyParameterStaysTheTextThatItIs) {
  rc::check([&] {
    static constexpr std::string_view kPieces[] = {"${", "}",    "{", "\"", "Ref",         "Fn::Sub", "!Ref ", "A.Arn",
                                                   ": ", "\n- ", "'", "\\", "AWS::Region", "x",       ""};
    std::string text;
    for (int n = *rc::gen::inRange(0, 8); n > 0; --n) text += kPieces[*rc::gen::inRange<size_t>(0, std::size(kPieces))];
    parameters_["Tenant"] = text;
    RC_ASSERT(run("!Ref Tenant") == Json(text).dump());
    RC_ASSERT(run("!Sub '<${Tenant}>${Tenant}'") == Json("<" + text + ">" + text).dump());
    RC_ASSERT(run("!Join ['${A}', [!Ref Tenant, !Ref Tenant]]") == Json(text + "${A}" + text).dump());
    RC_ASSERT(run("!Select [1, !Split ['|', !Sub 'a|${Tenant}|b']]") == Json(text).dump());
  });
}

TEST_F(Evaluation, RepeatedDoublingIsBounded) {
  std::string expression = "!Ref Tenant";
  parameters_["Tenant"] = std::string(4000, 'x');
  for (int i = 0; i < 15; ++i) expression = "!Sub ['${a}${a}${a}${a}', {a: " + expression + "}]";
  EXPECT_TRUE(run(expression).starts_with("! Template error: Fn::Sub: ")) << run(expression).substr(0, 100);
}

TEST_F(Evaluation, ConditionsThatNameOthersTwiceAreDecidedOnce) {
  std::string conditions;  // each would double the work of the one before
  for (int i = 0; i < 60; ++i) {
    std::string next = "{Condition: C" + std::to_string(i + 1) + "}";
    conditions += ", C" + std::to_string(i) + ": {Fn::And: [" + next + ", " + next + "]}";
  }
  auto t = parse_template("Resources: {A: {Type: T}}\nConditions: {C60: {Fn::Equals: [a, a]}" + conditions + "}\n");
  ASSERT_TRUE(t) << t.error().message;
  auto decided = resolve_conditions({.t = &*t});
  ASSERT_TRUE(decided) << decided.error().message;
  EXPECT_EQ(decided->size(), 61u);
  EXPECT_TRUE(decided->at("C0"));
}

}  // namespace
}  // namespace redoubt::stacks

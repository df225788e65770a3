/* SPDX-License-Identifier: MIT */
/* The table of operations, and looking things up in it. */
#include "lib/imagebuilder/operation.h"

#include "lib/base/error.h"

/* Sorted by name, for the search below; tests compare it with the model's table. */
static const struct ib_operation operations[IB_OPERATION_COUNT] = {
    { "CancelImageCreation", "PUT", "/CancelImageCreation", "", "",
      "imageBuildVersionArn,clientToken" },
    { "CancelLifecycleExecution", "PUT", "/CancelLifecycleExecution", "", "",
      "lifecycleExecutionId,clientToken" },
    { "CreateComponent", "PUT", "/CreateComponent", "", "",
      "name,semanticVersion,description,changeDescription,platform,supportedOsVersions,"
      "data,uri,kmsKeyId,tags,clientToken,dryRun" },
    { "CreateContainerRecipe", "PUT", "/CreateContainerRecipe", "", "",
      "containerType,name,description,semanticVersion,components,instanceConfiguration,"
      "dockerfileTemplateData,dockerfileTemplateUri,platformOverride,"
      "imageOsVersionOverride,parentImage,tags,workingDirectory,targetRepository,kmsKeyId,"
      "clientToken" },
    { "CreateDistributionConfiguration", "PUT", "/CreateDistributionConfiguration", "", "",
      "name,description,distributions,tags,clientToken" },
    { "CreateImage", "PUT", "/CreateImage", "", "",
      "imageRecipeArn,containerRecipeArn,distributionConfigurationArn,"
      "infrastructureConfigurationArn,imageTestsConfiguration,enhancedImageMetadataEnabled,"
      "tags,clientToken,imageScanningConfiguration,workflows,executionRole,"
      "loggingConfiguration" },
    { "CreateImagePipeline", "PUT", "/CreateImagePipeline", "", "",
      "name,description,imageRecipeArn,containerRecipeArn,infrastructureConfigurationArn,"
      "distributionConfigurationArn,imageTestsConfiguration,enhancedImageMetadataEnabled,"
      "schedule,status,tags,imageTags,clientToken,imageScanningConfiguration,workflows,"
      "executionRole,loggingConfiguration" },
    { "CreateImageRecipe", "PUT", "/CreateImageRecipe", "", "",
      "name,description,semanticVersion,components,parentImage,blockDeviceMappings,tags,"
      "workingDirectory,additionalInstanceConfiguration,amiTags,clientToken" },
    { "CreateInfrastructureConfiguration", "PUT", "/CreateInfrastructureConfiguration", "", "",
      "name,description,instanceTypes,instanceProfileName,securityGroupIds,subnetId,"
      "logging,keyPair,terminateInstanceOnFailure,snsTopicArn,resourceTags,"
      "instanceMetadataOptions,tags,placement,clientToken" },
    { "CreateLifecyclePolicy", "PUT", "/CreateLifecyclePolicy", "", "",
      "name,description,status,executionRole,resourceType,policyDetails,resourceSelection,"
      "tags,clientToken" },
    { "CreateWorkflow", "PUT", "/CreateWorkflow", "", "",
      "name,semanticVersion,description,changeDescription,data,uri,kmsKeyId,tags,"
      "clientToken,type,dryRun" },
    { "DeleteComponent", "DELETE", "/DeleteComponent", "componentBuildVersionArn", "", "" },
    { "DeleteContainerRecipe", "DELETE", "/DeleteContainerRecipe", "containerRecipeArn", "", "" },
    { "DeleteDistributionConfiguration", "DELETE", "/DeleteDistributionConfiguration",
      "distributionConfigurationArn", "", "" },
    { "DeleteImage", "DELETE", "/DeleteImage", "imageBuildVersionArn", "", "" },
    { "DeleteImagePipeline", "DELETE", "/DeleteImagePipeline", "imagePipelineArn", "", "" },
    { "DeleteImageRecipe", "DELETE", "/DeleteImageRecipe", "imageRecipeArn", "", "" },
    { "DeleteInfrastructureConfiguration", "DELETE", "/DeleteInfrastructureConfiguration",
      "infrastructureConfigurationArn", "", "" },
    { "DeleteLifecyclePolicy", "DELETE", "/DeleteLifecyclePolicy", "lifecyclePolicyArn", "", "" },
    { "DeleteWorkflow", "DELETE", "/DeleteWorkflow", "workflowBuildVersionArn", "", "" },
    { "DistributeImage", "PUT", "/DistributeImage", "", "",
      "sourceImage,distributionConfigurationArn,executionRole,tags,clientToken,"
      "loggingConfiguration" },
    { "GetComponent", "GET", "/GetComponent", "componentBuildVersionArn", "", "" },
    { "GetComponentPolicy", "GET", "/GetComponentPolicy", "componentArn", "", "" },
    { "GetContainerRecipe", "GET", "/GetContainerRecipe", "containerRecipeArn", "", "" },
    { "GetContainerRecipePolicy", "GET", "/GetContainerRecipePolicy", "containerRecipeArn", "", "" },
    { "GetDistributionConfiguration", "GET", "/GetDistributionConfiguration",
      "distributionConfigurationArn", "", "" },
    { "GetImage", "GET", "/GetImage", "imageBuildVersionArn", "", "" },
    { "GetImagePipeline", "GET", "/GetImagePipeline", "imagePipelineArn", "", "" },
    { "GetImagePolicy", "GET", "/GetImagePolicy", "imageArn", "", "" },
    { "GetImageRecipe", "GET", "/GetImageRecipe", "imageRecipeArn", "", "" },
    { "GetImageRecipePolicy", "GET", "/GetImageRecipePolicy", "imageRecipeArn", "", "" },
    { "GetInfrastructureConfiguration", "GET", "/GetInfrastructureConfiguration",
      "infrastructureConfigurationArn", "", "" },
    { "GetLifecycleExecution", "GET", "/GetLifecycleExecution", "lifecycleExecutionId", "", "" },
    { "GetLifecyclePolicy", "GET", "/GetLifecyclePolicy", "lifecyclePolicyArn", "", "" },
    { "GetMarketplaceResource", "POST", "/GetMarketplaceResource", "", "",
      "resourceType,resourceArn,resourceLocation" },
    { "GetWorkflow", "GET", "/GetWorkflow", "workflowBuildVersionArn", "", "" },
    { "GetWorkflowExecution", "GET", "/GetWorkflowExecution", "workflowExecutionId", "", "" },
    { "GetWorkflowStepExecution", "GET", "/GetWorkflowStepExecution", "stepExecutionId", "", "" },
    { "ImportComponent", "PUT", "/ImportComponent", "", "",
      "name,semanticVersion,description,changeDescription,type,format,platform,data,uri,"
      "kmsKeyId,tags,clientToken" },
    { "ImportDiskImage", "PUT", "/ImportDiskImage", "", "",
      "name,semanticVersion,description,platform,osVersion,executionRole,"
      "infrastructureConfigurationArn,uri,loggingConfiguration,tags,registerImageOptions,"
      "windowsConfiguration,clientToken" },
    { "ImportVmImage", "PUT", "/ImportVmImage", "", "",
      "name,semanticVersion,description,platform,osVersion,vmImportTaskId,"
      "loggingConfiguration,tags,clientToken" },
    { "ListComponentBuildVersions", "POST", "/ListComponentBuildVersions", "", "",
      "componentVersionArn,maxResults,nextToken" },
    { "ListComponents", "POST", "/ListComponents", "", "",
      "owner,filters,byName,maxResults,nextToken" },
    { "ListContainerRecipes", "POST", "/ListContainerRecipes", "", "",
      "owner,filters,maxResults,nextToken" },
    { "ListDistributionConfigurations", "POST", "/ListDistributionConfigurations", "", "",
      "filters,maxResults,nextToken" },
    { "ListImageBuildVersions", "POST", "/ListImageBuildVersions", "", "",
      "imageVersionArn,filters,maxResults,nextToken" },
    { "ListImagePackages", "POST", "/ListImagePackages", "", "",
      "imageBuildVersionArn,maxResults,nextToken" },
    { "ListImagePipelineImages", "POST", "/ListImagePipelineImages", "", "",
      "imagePipelineArn,filters,maxResults,nextToken" },
    { "ListImagePipelines", "POST", "/ListImagePipelines", "", "", "filters,maxResults,nextToken" },
    { "ListImageRecipes", "POST", "/ListImageRecipes", "", "",
      "owner,filters,maxResults,nextToken" },
    { "ListImageScanFindingAggregations", "POST", "/ListImageScanFindingAggregations", "", "",
      "filter,nextToken" },
    { "ListImageScanFindings", "POST", "/ListImageScanFindings", "", "",
      "filters,maxResults,nextToken" },
    { "ListImages", "POST", "/ListImages", "", "",
      "owner,filters,byName,maxResults,nextToken,includeDeprecated" },
    { "ListInfrastructureConfigurations", "POST", "/ListInfrastructureConfigurations", "", "",
      "filters,maxResults,nextToken" },
    { "ListLifecycleExecutionResources", "POST", "/ListLifecycleExecutionResources", "", "",
      "lifecycleExecutionId,parentResourceId,maxResults,nextToken" },
    { "ListLifecycleExecutions", "POST", "/ListLifecycleExecutions", "", "",
      "maxResults,nextToken,resourceArn" },
    { "ListLifecyclePolicies", "POST", "/ListLifecyclePolicies", "", "",
      "filters,maxResults,nextToken" },
    { "ListTagsForResource", "GET", "/tags/{resourceArn}", "", "resourceArn", "" },
    { "ListWaitingWorkflowSteps", "POST", "/ListWaitingWorkflowSteps", "", "",
      "maxResults,nextToken" },
    { "ListWorkflowBuildVersions", "POST", "/ListWorkflowBuildVersions", "", "",
      "workflowVersionArn,maxResults,nextToken" },
    { "ListWorkflowExecutions", "POST", "/ListWorkflowExecutions", "", "",
      "maxResults,nextToken,imageBuildVersionArn" },
    { "ListWorkflowStepExecutions", "POST", "/ListWorkflowStepExecutions", "", "",
      "maxResults,nextToken,workflowExecutionId" },
    { "ListWorkflows", "POST", "/ListWorkflows", "", "",
      "owner,filters,byName,maxResults,nextToken" },
    { "PutComponentPolicy", "PUT", "/PutComponentPolicy", "", "", "componentArn,policy" },
    { "PutContainerRecipePolicy", "PUT", "/PutContainerRecipePolicy", "", "",
      "containerRecipeArn,policy" },
    { "PutImagePolicy", "PUT", "/PutImagePolicy", "", "", "imageArn,policy" },
    { "PutImageRecipePolicy", "PUT", "/PutImageRecipePolicy", "", "", "imageRecipeArn,policy" },
    { "RetryImage", "PUT", "/RetryImage", "", "", "imageBuildVersionArn,clientToken" },
    { "SendWorkflowStepAction", "PUT", "/SendWorkflowStepAction", "", "",
      "stepExecutionId,imageBuildVersionArn,action,reason,clientToken" },
    { "StartImagePipelineExecution", "PUT", "/StartImagePipelineExecution", "", "",
      "imagePipelineArn,clientToken,tags" },
    { "StartResourceStateUpdate", "PUT", "/StartResourceStateUpdate", "", "",
      "resourceArn,state,executionRole,includeResources,exclusionRules,updateAt,clientToken" },
    { "TagResource", "POST", "/tags/{resourceArn}", "", "resourceArn", "tags" },
    { "UntagResource", "DELETE", "/tags/{resourceArn}", "tagKeys", "resourceArn", "" },
    { "UpdateDistributionConfiguration", "PUT", "/UpdateDistributionConfiguration", "", "",
      "distributionConfigurationArn,description,distributions,clientToken" },
    { "UpdateImagePipeline", "PUT", "/UpdateImagePipeline", "", "",
      "imagePipelineArn,description,imageRecipeArn,containerRecipeArn,"
      "infrastructureConfigurationArn,distributionConfigurationArn,imageTestsConfiguration,"
      "enhancedImageMetadataEnabled,schedule,status,clientToken,imageScanningConfiguration,"
      "workflows,loggingConfiguration,executionRole,imageTags" },
    { "UpdateInfrastructureConfiguration", "PUT", "/UpdateInfrastructureConfiguration", "", "",
      "infrastructureConfigurationArn,description,instanceTypes,instanceProfileName,"
      "securityGroupIds,subnetId,logging,keyPair,terminateInstanceOnFailure,snsTopicArn,"
      "resourceTags,instanceMetadataOptions,placement,clientToken" },
    { "UpdateLifecyclePolicy", "PUT", "/UpdateLifecyclePolicy", "", "",
      "lifecyclePolicyArn,description,status,executionRole,resourceType,policyDetails,"
      "resourceSelection,clientToken" },
};

const struct ib_operation *ib_operation_at(size_t i)
{
    IB_ASSERT(i < IB_OPERATION_COUNT);
    return &operations[i];
}

const struct ib_operation *ib_operation_find(struct ib_str name)
{
    size_t low = 0, high = IB_OPERATION_COUNT;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = ib_str_cmp(name, ib_str_from(operations[mid].name));

        if (c == 0) {
            return &operations[mid];
        }
        if (c < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

static bool listed(const char *list, struct ib_str name)
{
    struct ib_str rest = ib_str_from(list);

    while (rest.n > 0) {
        if (ib_str_eq(ib_str_split(&rest, ','), name)) {
            return true;
        }
    }
    return false;
}

enum ib_operation_place ib_operation_place(const struct ib_operation *operation,
                                           struct ib_str parameter)
{
    if (listed(operation->query, parameter)) {
        return IB_PLACE_QUERY;
    }
    if (listed(operation->path_params, parameter)) {
        return IB_PLACE_PATH;
    }
    return listed(operation->body, parameter) ? IB_PLACE_BODY : IB_PLACE_NONE;
}

bool ib_operation_reads(const struct ib_operation *operation)
{
    struct ib_str name = ib_str_from(operation->name);

    return ib_str_starts(name, IB_STR("Get")) || ib_str_starts(name, IB_STR("List"));
}

bool ib_operation_has_token(const struct ib_operation *operation)
{
    return listed(operation->body, IB_STR("clientToken"));
}
